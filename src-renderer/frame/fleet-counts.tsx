import type { ReactNode } from 'react';
import { Link } from '#renderer/navigation/use-route.tsx';
import { HOME } from '#renderer/navigation/routes.ts';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import type { Agent, AgentStatus } from '#shared/agents/model.ts';

/** What is counted at the top, in this order; the rest is read on the screens. */
const COUNTED: readonly { readonly look: StateLook; readonly statuses: readonly AgentStatus[] }[] = [
  { look: { shape: 'dot', tone: 'working', word: 'Working' }, statuses: ['working', 'starting', 'stopping'] },
  { look: { shape: 'half', tone: 'idle', word: 'Idle' }, statuses: ['idle', 'waiting'] },
  { look: { shape: 'cross', tone: 'failed', word: 'Failed or lost' }, statuses: ['failed', 'lost'] },
];

interface FleetCountsProps {
  readonly agents: readonly Agent[];
  /** Agents that wait for the operator's answer. Each agent counts once: these are in no other figure. */
  readonly asking: { has(agentId: string): boolean };
}

/** The fleet in figures: what needs the operator first. */
export function FleetCounts({ agents, asking }: FleetCountsProps): ReactNode {
  const needs = agents.filter(({ id }) => asking.has(id)).length;
  const counts = COUNTED.map(({ look, statuses }) => ({
    look,
    count: agents.filter(({ id, state }) => !asking.has(id) && statuses.includes(state.status)).length,
  }));
  return (
    <div className="flex items-center gap-3">
      {needs > 0 ? (
        <Link to={HOME} className="flex items-center gap-1.5 rounded-1 text-12 font-strong whitespace-nowrap text-needs">
          <StateMark look={{ shape: 'triangle', tone: 'needs', word: 'Needs you' }} />
          <span className="figures">{needs}</span>{' '}
          <span className="max-[560px]:sr-only">{needs === 1 ? 'needs you' : 'need you'}</span>
        </Link>
      ) : null}
      <ul aria-label="Agents by state" className="flex items-center gap-3 max-[560px]:hidden">
        {counts
          .filter(({ count }) => count > 0)
          .map(({ look, count }) => (
            <li
              key={look.word}
              title={`${count} ${look.word.toLowerCase()}`}
              className="figures flex items-center gap-1.5 text-12 text-tx-2"
            >
              <StateMark look={look} label={look.word} />
              {count}
            </li>
          ))}
      </ul>
      <span aria-hidden className="h-4 border-l border-hair-strong max-[560px]:hidden" />
      <span
        className="figures text-12 whitespace-nowrap text-tx-3 max-[560px]:hidden"
        title="No agent of these types reports what it costs"
      >
        <span aria-hidden>–</span>
        <span className="sr-only">No costs reported</span> <span className="font-ui">today</span>
      </span>
    </div>
  );
}
