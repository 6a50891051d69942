import { Mail, ShieldOff, ShieldCheck } from 'lucide-react';
import type { KeyboardEvent, ReactNode } from 'react';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import type { Agent } from '#shared/agents/model.ts';
import { BOUNDARY_WORDS, lineOf, STATUS_LOOKS } from './status-look.ts';

interface AgentListProps {
  /** In the order they are shown. */
  readonly agents: readonly Agent[];
  readonly unread: Readonly<Record<string, number>>;
  readonly selectedId: string | undefined;
  readonly onSelect: (id: string) => void;
}

/** Up and down go from row to row; Tab leaves the list's row as anywhere else. */
function moveFocus(event: KeyboardEvent<HTMLUListElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const rows = [...event.currentTarget.querySelectorAll('button')];
  const at = rows.findIndex((row) => row === document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  event.preventDefault();
}

/** The agents of the project, one row each. */
export function AgentList({ agents, unread, selectedId, onSelect }: AgentListProps): ReactNode {
  return (
    <ul onKeyDown={moveFocus} className="min-h-0 flex-1 overflow-y-auto">
      {agents.map((agent) => (
        <li key={agent.id}>
          <AgentRow
            agent={agent}
            unread={unread[agent.id] ?? 0}
            isSelected={agent.id === selectedId}
            onSelect={() => onSelect(agent.id)}
          />
        </li>
      ))}
    </ul>
  );
}

interface AgentRowProps {
  readonly agent: Agent;
  readonly unread: number;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

function AgentRow({ agent, unread, isSelected, onSelect }: AgentRowProps): ReactNode {
  const look = STATUS_LOOKS[agent.state.status];
  const line = lineOf(agent);
  const isContained = agent.boundary !== 'host';
  const Shield = isContained ? ShieldCheck : ShieldOff;
  return (
    <button
      type="button"
      aria-current={isSelected}
      onClick={onSelect}
      className="relative grid w-full grid-cols-[12px_minmax(0,1fr)] gap-x-2.5 border-b border-hair py-2 pr-3 pl-4 text-left text-12 leading-[18px] hover:bg-bg-2 aria-[current=true]:bg-select aria-[current=true]:before:absolute aria-[current=true]:before:inset-y-0 aria-[current=true]:before:left-0 aria-[current=true]:before:w-0.5 aria-[current=true]:before:bg-tx-1"
    >
      <span className="pt-[3px]">
        <StateMark look={look} />
      </span>
      <span className="flex min-w-0 items-baseline gap-2">
        <strong className="truncate text-13 font-strong">{agent.id}</strong>
        <span className="text-tx-3">{agent.config.type}</span>
        {unread > 0 ? (
          <span className="figures ml-auto inline-flex items-center gap-1 self-center text-tx-2">
            <Mail aria-hidden className="size-3" />
            {unread}
            <span className="sr-only">unread</span>
          </span>
        ) : null}
      </span>
      <span className="col-start-2 flex min-w-0 gap-2" title={agent.state.evidence.detail}>
        <StateWord look={look} />
        <span className="truncate text-tx-2">{line}</span>
      </span>
      <span className="col-start-2 flex min-w-0 items-center gap-1.5 text-tx-3" title={agent.boundaryNote}>
        <Shield aria-hidden className={`size-3 flex-none ${isContained ? 'text-st-working' : ''}`} />
        <span className="truncate">{BOUNDARY_WORDS[agent.boundary]}</span>
      </span>
    </button>
  );
}
