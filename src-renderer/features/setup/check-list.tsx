import { Check, TerminalSquare } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { CopyButton, CopyLine } from '#renderer/ui/copy-button.tsx';
import { reachableScroller } from '#renderer/ui/reachable-scroller.ts';
import { Skeleton } from '#renderer/ui/skeleton.tsx';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import type { SystemCheck } from '#shared/system/model.ts';
import { detailParts } from './detail-parts.ts';

interface Group {
  readonly id: SystemCheck['group'];
  readonly title: string;
  readonly note: string;
  /** Rows that stand there while nothing is known yet. */
  readonly skeletons: number;
}

const GROUPS: readonly Group[] = [
  { id: 'agents', title: 'Agents', note: 'one that is logged in is enough; workers need none', skeletons: 3 },
  { id: 'runtimes', title: 'Where they run', note: 'tmux keeps them when this app ends', skeletons: 2 },
  { id: 'work', title: 'What they work on', note: '', skeletons: 3 },
];

const LOOKS: Readonly<Record<Exclude<SystemCheck['state'], 'ok'>, StateLook>> = {
  needs: { shape: 'triangle', tone: 'needs', word: 'Needs you' },
  missing: { shape: 'ring', tone: 'stopped', word: 'Not found' },
  failed: { shape: 'cross', tone: 'failed', word: 'Broken' },
  optional: { shape: 'ring', tone: 'stopped', word: 'Optional' },
};

interface CheckListProps {
  /** Undefined before the first answer. */
  readonly checks: readonly SystemCheck[] | undefined;
  /** Runs a command in a terminal here. */
  readonly onRun: (check: SystemCheck, command: string) => void;
}

/** What was found on this machine, and for each gap the one command that closes it. */
export function CheckList({ checks, onRun }: CheckListProps): ReactNode {
  return GROUPS.map((group) => (
    <section key={group.id} className="mt-5" aria-labelledby={`checks-${group.id}`} aria-busy={checks === undefined}>
      <h2 id={`checks-${group.id}`} className="mb-1.5 text-12 font-strong">
        {group.title} <span className="ml-1 font-regular text-tx-3">{group.note}</span>
      </h2>
      <ul className="overflow-hidden rounded-3 border border-hair bg-bg-1">
        {checks === undefined
          ? Array.from({ length: group.skeletons }, (_, row) => (
              <li key={row} className="flex h-11 items-center border-b border-hair px-4 last:border-b-0">
                <Skeleton className="h-3 w-2/3" />
              </li>
            ))
          : checks
              .filter((check) => check.group === group.id)
              .map((check) => <CheckRow key={check.id} check={check} onRun={onRun} />)}
      </ul>
    </section>
  ));
}

interface CheckRowProps {
  readonly check: SystemCheck;
  readonly onRun: CheckListProps['onRun'];
}

function CheckRow({ check, onRun }: CheckRowProps): ReactNode {
  const { title, state, remedy } = check;
  // The answer is given here: the only amber row. What is merely absent stays quiet.
  const isOpen = remedy !== null && (state === 'needs' || state === 'failed');
  return (
    <li
      className={`grid grid-cols-[12px_minmax(0,9rem)_minmax(0,1fr)_auto] max-[560px]:grid-cols-[12px_minmax(0,1fr)_auto] items-center gap-x-3 border-b border-hair px-4 py-2.5 text-12 last:border-b-0 ${
        state === 'needs' ? 'bg-needs-bg' : ''
      }`}
    >
      {state === 'ok' ? (
        <Check aria-hidden className="size-3 text-st-working" strokeWidth={2.5} />
      ) : (
        <StateMark look={LOOKS[state]} />
      )}
      <span className="truncate text-13 font-medium">{title}</span>
      <span className="min-w-0 text-tx-2 max-[560px]:order-1 max-[560px]:col-span-2 max-[560px]:col-start-2">
        <span className="mr-2 break-words">
          {detailParts(check).map(({ text, isCode }) =>
            isCode ? (
              <code key={text} className="font-code">
                {text}
              </code>
            ) : (
              text
            ),
          )}
        </span>
        {remedy !== null && !isOpen ? (
          // On a line of its own rather than broken; what is longer than that scrolls.
          <code
            ref={reachableScroller}
            className="font-code inline-block max-w-full overflow-x-auto align-bottom text-12 whitespace-pre text-tx-1 [scrollbar-width:none]"
          >
            {remedy}
          </code>
        ) : null}
      </span>
      {state === 'ok' ? (
        <span className="text-tx-3">Ready</span>
      ) : remedy !== null && !isOpen ? (
        <CopyButton text={remedy} label="Copy" size="small" />
      ) : (
        <span className={state === 'needs' ? 'font-medium text-needs' : state === 'failed' ? 'text-st-failed' : 'text-tx-3'}>
          {LOOKS[state].word}
        </span>
      )}
      {isOpen ? (
        <div className="col-span-2 col-start-3 mt-2 flex max-[560px]:order-2 max-[560px]:col-start-2 flex-wrap items-center gap-2">
          <div className="max-w-full min-w-0">
            <CopyLine text={remedy} />
          </div>
          <Button icon={<TerminalSquare aria-hidden className="size-3.5" />} onClick={() => onRun(check, remedy)}>
            Run it here
          </Button>
        </div>
      ) : null}
    </li>
  );
}
