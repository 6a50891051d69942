import { Play, RotateCw, ShieldCheck, ShieldOff, Square } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Badge } from '#renderer/ui/badge.tsx';
import { Button } from '#renderer/ui/button.tsx';
import { fullTime, shortDuration } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import type { Agent } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import { BOUNDARY_WORDS, lineOf, STATUS_LOOKS } from './status-look.ts';

/** The name of the selected agent, its state, and what can be done with it. */
export function AgentHeader({ agent }: { readonly agent: Agent }): ReactNode {
  const session = useSession();
  const command = useCommand();
  const look = STATUS_LOOKS[agent.state.status];
  const isRunning = isAlive(agent.state.status);
  // A lost agent may go on unseen: it can be ended, or started anew.
  const isStoppable = isRunning || agent.state.status === 'lost';
  const isBusy = command.isRunning || agent.state.status === 'stopping';
  const { id } = agent;
  const act = (task: () => Promise<unknown>) => () => command.run(task);
  const Shield = agent.boundary === 'host' ? ShieldOff : ShieldCheck;
  return (
    <header className="flex-none border-b border-hair bg-bg-1">
      <div className="flex h-13 items-center gap-2.5 px-4">
        <StateMark look={look} />
        <h2 className="max-w-[50%] flex-none truncate text-16 font-strong" title={id}>
          {id}
        </h2>
        <span
          className="flex min-w-0 items-baseline gap-2 text-12"
          title={`${agent.state.evidence.detail}, ${fullTime(agent.state.since)}`}
        >
          <StateWord look={look} />
          <span className="hidden truncate text-tx-2 wide:inline">{lineOf(agent)}</span>
        </span>
        {isRunning && agent.run !== null ? <Uptime since={agent.run.startedAt} /> : null}
        <span className="ml-auto hidden flex-none wide:flex">
          <Badge icon={<Shield aria-hidden className="size-3.5 flex-none" />} title={agent.boundaryNote}>
            {BOUNDARY_WORDS[agent.boundary]}
          </Badge>
        </span>
        <span className="ml-auto flex flex-none gap-1.5 wide:ml-0">
          {isRunning ? (
            <Button
              icon={<RotateCw aria-hidden className="size-3.5" />}
              disabled={isBusy}
              onClick={act(() => session.client.agents.restart({ id }))}
            >
              Restart
            </Button>
          ) : (
            <Button
              icon={<Play aria-hidden className="size-3.5" />}
              disabled={isBusy}
              onClick={act(() => session.client.agents.start({ id }))}
            >
              Start
            </Button>
          )}
          {isStoppable ? (
            <Button
              icon={<Square aria-hidden className="size-3.5" />}
              disabled={isBusy}
              onClick={act(() => session.client.agents.stop({ id }))}
            >
              Stop
            </Button>
          ) : null}
        </span>
      </div>
      {command.problem === undefined ? null : (
        <Notice title={`${id} was not changed.`} detail={command.problem}>
          <Button size="small" onClick={command.dismiss}>
            Dismiss
          </Button>
        </Notice>
      )}
    </header>
  );
}

function Uptime({ since }: { readonly since: number }): ReactNode {
  const now = useNow(1_000);
  return (
    <span className="hidden text-12 whitespace-nowrap text-tx-3 wide:inline" title={`started ${fullTime(since)}`}>
      up <span className="figures">{shortDuration(now - since)}</span>
    </span>
  );
}
