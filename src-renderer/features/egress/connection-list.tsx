import { ArrowDown, ArrowUp, Check, CircleX, Minus, X } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { clockTime, fullTime, shortDuration } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { VirtualList } from '#renderer/ui/virtual-list.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { EgressConnection } from '#shared/egress/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { trafficText } from './traffic-text.ts';
import { OUTCOME_WORDS } from './rule-words.ts';
import type { OutcomeFilter } from './use-connection-log.ts';
import { useConnectionLog } from './use-connection-log.ts';

/** Height of a row with a reason of one line, in pixels. */
const ROW_PX = 57;

const FILTERS: readonly { readonly value: OutcomeFilter; readonly text: string }[] = [
  { value: '', text: 'all' },
  { value: 'refused', text: 'refused' },
  { value: 'failed', text: 'failed' },
  { value: 'open', text: 'open' },
  { value: 'closed', text: 'closed' },
];

/** The connections that an agent opened or tried to open: newest first, older ones as one scrolls. */
export function ConnectionList({ agentId }: { readonly agentId: AgentId }): ReactNode {
  const [outcome, setOutcome] = useState<OutcomeFilter>('');
  const { rows, hasMore, isKnown, problem, loadOlder } = useConnectionLog(agentId, outcome);
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-none items-center gap-2 border-b border-hair px-4 py-1.5">
        <Select<OutcomeFilter> label="Show" value={outcome} options={FILTERS} onChange={setOutcome} />
        <span className="ml-auto min-w-0 truncate text-12 text-tx-3">
          {isKnown && rows.length > 0 ? `${rows.length}${hasMore ? ' or more' : ''}, newest first` : ''}
        </span>
      </div>
      {problem === undefined ? null : <Notice title="The log is not renewed." detail={problem} />}
      {!isKnown ? (
        problem === undefined ? (
          <div className="px-4 py-3">
            <SkeletonText lines={6} />
          </div>
        ) : null
      ) : rows.length === 0 ? (
        <EmptyState title={outcome === '' ? 'No connection yet' : `Nothing was ${outcome === 'open' ? 'left open' : outcome}`}>
          <p>
            {outcome === ''
              ? 'Each connection that it opens or tries to open stands here, with what became of it and why.'
              : 'There are none of this kind. “all” shows the others.'}
          </p>
        </EmptyState>
      ) : (
        <VirtualList
          items={rows}
          keyOf={({ id }) => String(id)}
          estimateHeight={ROW_PX}
          renderItem={(one) => <ConnectionRow connection={one} />}
          label="Connections"
          onEdges={({ isAtEnd }) => {
            if (isAtEnd && hasMore) loadOlder();
          }}
          className="flex-1"
        />
      )}
    </div>
  );
}

const MARKS: Readonly<Record<EgressConnection['outcome'], ReactNode>> = {
  open: <Check aria-hidden className="size-3.5 text-st-working" />,
  closed: <Minus aria-hidden className="size-3.5 text-tx-3" />,
  refused: <X aria-hidden className="size-3.5 text-st-failed" />,
  failed: <CircleX aria-hidden className="size-3.5 text-st-failed" />,
};

function ConnectionRow({ connection }: { readonly connection: EgressConnection }): ReactNode {
  const { host, port, protocol, outcome, reason, at, durationMs, sentBytes, receivedBytes, via, address } = connection;
  const hasTraffic = outcome === 'open' || outcome === 'closed' || sentBytes + receivedBytes > 0;
  return (
    <div className="border-b border-hair px-4 py-2 text-12">
      <p className="flex min-w-0 items-center gap-2">
        <span className="flex-none">{MARKS[outcome]}</span>
        <code className="font-code min-w-0 truncate text-tx-1" title={address === null ? host : `${host} (${address})`}>
          {visibleText(host)}:{port}
        </code>
        <span className="flex-none text-tx-3">{via === 'model-api' ? 'model API' : protocol}</span>
        <span className="ml-auto flex-none text-tx-2">{OUTCOME_WORDS[outcome]}</span>
        <time dateTime={new Date(at).toISOString()} title={fullTime(at)} className="figures flex-none text-tx-3">
          {clockTime(at)}
        </time>
      </p>
      <p className="mt-0.5 flex min-w-0 flex-wrap items-center gap-x-3 pl-[22px]">
        <span className="min-w-0 flex-1 text-tx-2 [overflow-wrap:anywhere]">{visibleText(reason)}</span>
        {hasTraffic ? (
          <span className="figures inline-flex flex-none items-center gap-2 text-tx-3">
            <span className="inline-flex items-center gap-0.5" title="from the agent">
              <ArrowUp aria-hidden className="size-3" />
              <span className="sr-only">sent</span>
              {trafficText(sentBytes)}
            </span>
            <span className="inline-flex items-center gap-0.5" title="to the agent">
              <ArrowDown aria-hidden className="size-3" />
              <span className="sr-only">received</span>
              {trafficText(receivedBytes)}
            </span>
            <span title="how long it took">
              {durationMs === null ? 'open' : durationMs < 1_000 ? `${durationMs} ms` : shortDuration(durationMs)}
            </span>
          </span>
        ) : null}
      </p>
    </div>
  );
}
