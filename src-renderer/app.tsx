/** The one page there is so far: agents, the terminal of one of them, and messages. Composes features; holds no behaviour. */
import { useCallback, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { AgentHeader } from '#renderer/features/agents/agent-header.tsx';
import { AgentList } from '#renderer/features/agents/agent-list.tsx';
import { CrewCounts } from '#renderer/features/agents/crew-counts.tsx';
import { StartSample } from '#renderer/features/agents/start-sample.tsx';
import { ConnectionMark } from '#renderer/features/connection/connection-mark.tsx';
import { OfflineBanner } from '#renderer/features/connection/offline-banner.tsx';
import { SignedOut } from '#renderer/features/connection/signed-out.tsx';
import { MessagesPanel } from '#renderer/features/messages/messages-panel.tsx';
import { NeedsYou } from '#renderer/features/messages/needs-you.tsx';
import { TerminalPane } from '#renderer/features/terminals/terminal-pane.tsx';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { Logo } from '#renderer/ui/logo.tsx';
import { Notice } from '#renderer/ui/notice.tsx';

/** The page. */
export function App(): ReactNode {
  const session = useSession();
  const status = useWindowState((state) => state.status);
  const loginOutcome = useWindowState((state) => state.loginOutcome);
  const crew = useWindowState((state) => state.crew);
  const hasCrew = useWindowState((state) => state.hasCrew);
  const unread = useWindowState((state) => state.unread);
  const sample = useCommand();
  const [chosenId, setChosenId] = useState<string>();

  const agents = useMemo(() => Object.values(crew.agents).sort((a, b) => (a.id < b.id ? -1 : 1)), [crew.agents]);
  const agentIds = useMemo(() => agents.map(({ id }) => id), [agents]);
  const project = useMemo(() => Object.values(crew.projects).sort((a, b) => b.openedAt - a.openedAt)[0], [crew.projects]);
  const selected = (chosenId === undefined ? undefined : crew.agents[chosenId]) ?? agents[0];
  const retry = useCallback(() => session.retry(), [session]);
  const choose = useCallback((id: string | undefined) => setChosenId(id), []);

  if (status.kind === 'signed-out') return <SignedOut outcome={loginOutcome} onRetry={retry} />;

  return (
    <div className="grid h-full grid-rows-[auto_auto_minmax(0,1fr)]">
      <header className="flex h-11 items-center gap-3 border-b border-hair bg-bg-1 px-4">
        <Logo />
        <h1 className="flex min-w-0 items-baseline gap-2">
          <span className="truncate text-13 font-strong">{project?.name ?? 'Quarterdeck'}</span>
          {project === undefined ? null : (
            <span className="font-code hidden truncate text-12 text-tx-3 wide:inline" title={project.folder}>
              {project.folder}
            </span>
          )}
        </h1>
        <span className="ml-auto flex flex-none items-center gap-4">
          <NeedsYou />
          <CrewCounts agents={agents} />
          {agents.length > 0 ? <span aria-hidden className="h-4 border-l border-hair-strong" /> : null}
          <ConnectionMark status={status} />
          {agents.length > 0 ? <StartSample look="outline" command={sample} onStarted={choose} /> : null}
        </span>
      </header>
      <div>
        {status.kind === 'offline' ? <OfflineBanner since={status.since} onRetry={retry} /> : null}
        {sample.problem === undefined ? null : (
          <Notice title="The sample crew was not started." detail={sample.problem}>
            <Button size="small" onClick={sample.dismiss}>
              Dismiss
            </Button>
          </Notice>
        )}
      </div>
      <main className="grid min-h-0 grid-cols-[216px_minmax(0,1fr)_328px] wide:grid-cols-[264px_minmax(0,1fr)_412px]">
        <section aria-label="Agents" className="flex min-h-0 flex-col border-r border-hair">
          <div className="flex h-9 flex-none items-center gap-2 border-b border-hair bg-bg-1 px-4">
            <h2 className="text-13 font-strong">Agents</h2>
            <span className="figures text-12 text-tx-3">{hasCrew ? agents.length : ''}</span>
          </div>
          {agents.length === 0 ? (
            <p className="px-4 py-3 text-12 text-tx-3">{hasCrew ? 'None yet' : 'Loading the agents'}</p>
          ) : (
            <AgentList agents={agents} unread={unread} selectedId={selected?.id} onSelect={choose} />
          )}
        </section>
        <div className="flex min-h-0 min-w-0 flex-col">
          {selected === undefined ? (
            hasCrew ? (
              <EmptyState title="No agents yet">
                <p>
                  The sample crew shows what this is: three workers survey a small repository together and write a report, talking
                  through messages that you can follow here. It needs no model and no keys.
                </p>
                <StartSample look="ink" command={sample} onStarted={choose} />
                <p>
                  Agents of your own: <code className="font-code text-12 text-tx-1">quarterdeck spawn --help</code>
                </p>
              </EmptyState>
            ) : null
          ) : (
            <>
              <AgentHeader key={selected.id} agent={selected} />
              <TerminalPane key={`terminal-${selected.id}`} agentId={selected.id} runId={selected.run?.id} />
            </>
          )}
        </div>
        <MessagesPanel agentIds={agentIds} preferredId={selected?.id} />
      </main>
    </div>
  );
}
