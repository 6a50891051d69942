import type { ReactNode } from 'react';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import type { Agent, AgentStatus } from '#shared/agents/model.ts';
import { STATUS_LOOKS } from './status-look.ts';

/** The states that are counted at the top, in this order. The others are read in the list. */
const COUNTED: readonly AgentStatus[] = ['working', 'idle', 'waiting', 'paused', 'failed', 'lost', 'stopped'];

/** How many agents are in which state; states that none is in are left out. */
export function CrewCounts({ agents }: { readonly agents: readonly Agent[] }): ReactNode {
  const counts = COUNTED.map((status) => ({ status, count: agents.filter((agent) => agent.state.status === status).length }));
  return (
    <ul aria-label="Agents by state" className="flex items-center gap-3">
      {counts
        .filter(({ count }) => count > 0)
        .map(({ status, count }) => (
          <li
            key={status}
            title={`${count} ${STATUS_LOOKS[status].word.toLowerCase()}`}
            className="figures flex items-center gap-1.5 text-12 text-tx-2"
          >
            <StateMark look={STATUS_LOOKS[status]} label={STATUS_LOOKS[status].word} />
            {count}
          </li>
        ))}
    </ul>
  );
}
