import {
  Globe,
  GlobeLock,
  Keyboard,
  MessageSquareText,
  Play,
  Plus,
  Settings2,
  ShieldAlert,
  ShieldCheck,
  ShieldX,
  Trash2,
} from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useCallback } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { ErrorState } from '#renderer/ui/error-state.tsx';
import { clockTime, dayName, fullTime } from '#renderer/ui/format-time.ts';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import { VirtualList } from '#renderer/ui/virtual-list.tsx';
import type { ListEdges } from '#renderer/ui/virtual-list.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { activityOf } from './activity-words.ts';
import { actorText, DOOR_WORDS } from './agent-figures.ts';
import { STATUS_LOOKS } from './status-look.ts';
import type { ActivityRow } from './use-activity.ts';
import { useActivity } from './use-activity.ts';

/** Pixels of a row with one line of detail. */
const ROW_PX = 50;
/** The day's name may change while one looks, in milliseconds. */
const DAY_LOOK_MS = 60_000;

/** What happened to an agent, from the audit trail: who did what, through which door, on which evidence. Newest first. */
export function AgentActivity({ agentId }: { readonly agentId: string }): ReactNode {
  const { rows, hasMore, isLoading, problem, loadOlder } = useActivity(agentId);
  const onEdges = useCallback(
    ({ isAtEnd }: ListEdges) => {
      if (isAtEnd && hasMore && !isLoading) loadOlder();
    },
    [hasMore, isLoading, loadOlder],
  );
  if (rows.length === 0) {
    if (problem !== undefined)
      return <ErrorState title="The audit trail could not be read" detail={problem} onRetry={loadOlder} />;
    if (isLoading)
      return (
        <div className="px-4 py-3">
          <SkeletonText lines={8} />
        </div>
      );
    return <EmptyState title="Nothing happened yet">What is done with this agent is written here.</EmptyState>;
  }
  return (
    <div className="flex h-full flex-col">
      <VirtualList
        label={`Activity of ${agentId}`}
        className="flex-1"
        items={rows}
        keyOf={({ seq }) => String(seq)}
        estimateHeight={ROW_PX}
        onEdges={onEdges}
        renderItem={(row, index) => <Row row={row} before={rows[index - 1]} />}
      />
      {problem === undefined && !hasMore ? null : (
        <p className="flex min-h-9 flex-none items-center gap-2 border-t border-hair px-4 text-12 text-tx-2">
          <span className="min-w-0 flex-1">{problem ?? `${rows.length} newest`}</span>
          <Button size="small" disabled={isLoading} onClick={loadOlder}>
            {problem === undefined ? 'Show older' : 'Try again'}
          </Button>
        </p>
      )}
    </div>
  );
}

const ICONS: Readonly<Record<string, LucideIcon>> = {
  'agent.created': Plus,
  'agent.run-started': Play,
  'agent.reported': MessageSquareText,
  'agent.config-changed': Settings2,
  'agent.removed': Trash2,
  'boundary.proved': ShieldCheck,
  'boundary.failed': ShieldX,
  'boundary.refused': ShieldX,
  'boundary.accepted': ShieldAlert,
  'egress.opened': Globe,
  'egress.refused': GlobeLock,
  'egress.rules-changed': Globe,
  'terminal.typed': Keyboard,
  'terminal.control-taken': Keyboard,
  'terminal.control-released': Keyboard,
};

function KindIcon({ kind }: { readonly kind: string }): ReactNode {
  const Icon = ICONS[kind];
  return Icon === undefined ? null : <Icon aria-hidden className="size-3" />;
}

function Row({ row, before }: { readonly row: ActivityRow; readonly before: ActivityRow | undefined }): ReactNode {
  const now = useNow(DAY_LOOK_MS);
  const { text, detail, status } = activityOf(row);
  const isNewDay = before === undefined || new Date(before.at).toDateString() !== new Date(row.at).toDateString();
  const door = DOOR_WORDS[row.door];
  const who = actorText(row.actor);
  return (
    <>
      {isNewDay ? (
        <div className="flex h-7 items-center gap-3 px-4 text-12 text-tx-3 after:flex-1 after:border-t after:border-hair">
          {dayName(row.at, now)}
        </div>
      ) : null}
      <div className="grid grid-cols-[60px_12px_minmax(0,1fr)] gap-x-2 border-b border-hair px-4 py-1.5 text-12 leading-[18px]">
        <time dateTime={new Date(row.at).toISOString()} title={fullTime(row.at)} className="figures text-tx-3">
          {clockTime(row.at)}
        </time>
        <span className="pt-[3px] text-tx-3">
          {status === undefined ? <KindIcon kind={row.kind} /> : <StateMark look={STATUS_LOOKS[status]} />}
        </span>
        <p className="flex min-w-0 items-baseline gap-2">
          <span className="min-w-0 flex-1 break-words">
            {status === undefined ? <span className="text-tx-2">{who} </span> : null}
            <span className={status === undefined ? 'text-tx-1' : 'font-medium text-tx-1'}>{text}</span>
          </span>
          <span className="flex-none text-tx-3">
            {status === undefined ? door : [who, door].filter((part) => part !== '').join(' · ')}
          </span>
        </p>
        {detail === '' ? null : <p className="col-start-3 text-pretty break-words text-tx-2">{visibleText(detail)}</p>}
      </div>
    </>
  );
}
