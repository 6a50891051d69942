import { Play } from 'lucide-react';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { useScreenCommands } from '#renderer/commands/use-commands.tsx';
import { AgentActivity } from '#renderer/features/agents/agent-activity.tsx';
import { AgentConfig } from '#renderer/features/agents/agent-config.tsx';
import { AgentHeader, AgentLine } from '#renderer/features/agents/agent-header.tsx';
import { AgentHealth } from '#renderer/features/agents/agent-health.tsx';
import { AgentOverview } from '#renderer/features/agents/agent-overview.tsx';
import { BoundaryPage } from '#renderer/features/boundary/boundary-page.tsx';
import { LiveLimits } from '#renderer/features/boundary/live-limits.tsx';
import { NetworkPage } from '#renderer/features/egress/network-page.tsx';
import { AgentMessages } from '#renderer/features/messages/agent-messages.tsx';
import { TerminalPane } from '#renderer/features/terminals/terminal-pane.tsx';
import { WorkspaceSection } from '#renderer/features/workspaces/workspace-section.tsx';
import type { AgentTab } from '#renderer/navigation/routes.ts';
import { HOME, pathOf } from '#renderer/navigation/routes.ts';
import { goTo, Link, useQueryParameter } from '#renderer/navigation/use-route.tsx';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useOpenQuestions } from '#renderer/store/use-attention.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { Skeleton } from '#renderer/ui/skeleton.tsx';
import { TabPanel, Tabs } from '#renderer/ui/tabs.tsx';
import type { Agent } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { AGENT_FORM_PARTS } from './agent-form-parts.tsx';

interface AgentPageProps {
  readonly id: string;
  readonly tab: AgentTab;
}

/** One agent: its terminal, and what is known about it. */
export function AgentPage({ id, tab }: AgentPageProps): ReactNode {
  const agent = useWindowState((state) => ownEntry(state.crew.agents, id));
  const hasCrew = useWindowState((state) => state.hasCrew);
  const [solo] = useQueryParameter('solo');
  if (agent === undefined) return hasCrew ? <UnknownAgent id={id} /> : <Skeleton className="m-4 h-24" />;
  if (solo !== '') return <SoloTerminal agent={agent} />;
  return (
    <div className="relative flex h-full flex-col overflow-y-auto">
      <AgentTop agent={agent} />
      <div className="flex min-h-0 flex-1 max-[860px]:flex-none max-[860px]:flex-col">
        <div className="flex min-h-0 min-w-0 flex-1 flex-col border-hair max-[860px]:h-[max(70vh,320px)] max-[860px]:flex-none max-[860px]:border-b min-[861px]:border-r">
          <AgentTerminal agent={agent} onDetach={() => detach(id)} />
        </div>
        <AgentPanel agent={agent} tab={tab} />
      </div>
    </div>
  );
}

function detach(id: string): void {
  window.open(`${pathOf({ page: 'agent', id, tab: 'overview' })}?solo=1`, `agent-${id}`, 'popup,width=920,height=640');
}

/** The terminal in a window of its own: whose it is, and how that one stands, is in one line and in the window's title. */
function SoloTerminal({ agent }: { readonly agent: Agent }): ReactNode {
  const { id } = agent;
  useEffect(() => {
    document.title = `${id} – Quarterdeck`;
  }, [id]);
  return (
    <div className="flex h-full min-h-0 flex-1 flex-col">
      <AgentLine agent={agent} />
      <AgentTerminal agent={agent} />
    </div>
  );
}

function AgentTop({ agent }: { readonly agent: Agent }): ReactNode {
  return <AgentHeader agent={agent} needsOperator={useOpenQuestions(agent.id).some(({ item }) => item.needsOperator)} />;
}

interface AgentTerminalProps {
  readonly agent: Agent;
  readonly onDetach?: (() => void) | undefined;
}

function AgentTerminal({ agent, onDetach }: AgentTerminalProps): ReactNode {
  if (isExternal(agent))
    return (
      <section aria-label={`Terminal of ${agent.id}`} className="min-h-0 flex-1 bg-t-bg">
        <EmptyState title="There is no terminal here">
          <p>
            {agent.id} was enrolled from outside: it runs where it was started, and is known by what it says on its interface.
          </p>
        </EmptyState>
      </section>
    );
  const start = <StartAgent agent={agent} />;
  if (agent.run === null)
    return (
      <section aria-label={`Terminal of ${agent.id}`} className="min-h-0 flex-1 bg-t-bg">
        <EmptyState title={`${agent.id} was never started`}>
          <p>Its terminal stands here from its first start on, and stays when it ends.</p>
          {start}
        </EmptyState>
      </section>
    );
  return (
    <TerminalPane
      agentId={agent.id}
      runId={agent.run.id}
      attachCommand={agent.run.attachCommand}
      onDetach={onDetach}
      endedAction={isAlive(agent.state.status) ? null : start}
    />
  );
}

function StartAgent({ agent }: { readonly agent: Agent }): ReactNode {
  const session = useSession();
  const command = useCommand();
  return (
    <>
      {command.problem === undefined ? null : <span className="text-12 text-st-failed">{command.problem}</span>}
      <Button
        icon={<Play aria-hidden className="size-3.5" />}
        disabled={command.isRunning || isAlive(agent.state.status)}
        onClick={() => command.run(() => session.client.agents.start({ id: agent.id }))}
      >
        {agent.run === null ? `Start ${agent.id}` : 'Start again'}
      </Button>
    </>
  );
}

/** Tabs that are gone to by a command as well: what they show is looked for by its name. */
const TAB_COMMANDS: readonly { readonly tab: AgentTab; readonly title: string }[] = [
  { tab: 'boundary', title: 'Show the boundary and its proof' },
  { tab: 'network', title: 'Show the network: rules and connections' },
  { tab: 'config', title: 'Show the configuration' },
  { tab: 'health', title: 'Show health and limits' },
];

function AgentPanel({ agent, tab }: { readonly agent: Agent; readonly tab: AgentTab }): ReactNode {
  useScreenCommands(
    `About ${agent.id}`,
    TAB_COMMANDS.map(({ tab: to, title }) => ({
      id: `agent.tab.${to}`,
      title,
      run: () => goTo({ page: 'agent', id: agent.id, tab: to }, { isReplacing: true }),
    })),
  );
  const unread = useWindowState((state) => ownEntry(state.unread, agent.id) ?? 0);
  const panel = 'min-h-0 flex-1 overflow-y-auto';
  return (
    <aside
      aria-label={`About ${agent.id}`}
      className="relative flex min-h-0 w-[348px] flex-none flex-col bg-bg-1 wide:w-[424px] max-[860px]:h-[max(80vh,480px)] max-[860px]:w-full"
    >
      <div className="h-9 flex-none border-b border-hair px-4">
        <Tabs<AgentTab>
          label={`About ${agent.id}`}
          value={tab}
          onChange={(next) => goTo({ page: 'agent', id: agent.id, tab: next }, { isReplacing: true })}
          tabs={[
            { value: 'overview', text: 'Overview' },
            { value: 'messages', text: 'Messages', count: unread === 0 ? undefined : unread },
            { value: 'activity', text: 'Activity' },
            { value: 'boundary', text: 'Boundary' },
            { value: 'network', text: 'Network' },
            { value: 'config', text: 'Config' },
            { value: 'health', text: 'Health' },
          ]}
        />
      </div>
      <TabPanel value="overview" current={tab} className={panel}>
        <AgentOverview agent={agent} workspace={<WorkspaceSection agent={agent} />} />
      </TabPanel>
      <TabPanel value="messages" current={tab} className="flex min-h-0 flex-1 flex-col">
        <AgentMessages agentId={agent.id} />
      </TabPanel>
      <TabPanel value="activity" current={tab} className="min-h-0 flex-1">
        <AgentActivity agentId={agent.id} />
      </TabPanel>
      <TabPanel value="boundary" current={tab} className={panel}>
        <BoundaryPage key={agent.id} agent={agent} />
      </TabPanel>
      <TabPanel value="network" current={tab} className="flex min-h-0 flex-1 flex-col">
        <NetworkPage key={agent.id} agent={agent} />
      </TabPanel>
      <TabPanel value="config" current={tab} className={panel}>
        <AgentConfig agent={agent} parts={AGENT_FORM_PARTS} />
      </TabPanel>
      <TabPanel value="health" current={tab} className={panel}>
        <AgentHealth agent={agent} />
        {isAlive(agent.state.status) && !isExternal(agent) ? <LiveLimits key={agent.id} agent={agent} /> : null}
      </TabPanel>
    </aside>
  );
}

function UnknownAgent({ id }: { readonly id: string }): ReactNode {
  return (
    <EmptyState isScreen title={`There is no agent “${id}”`}>
      <p>It may have been removed, or the link may be from another data folder. What it did stays in the audit trail.</p>
      <Link to={HOME} className="underline underline-offset-2">
        Go to the agents
      </Link>
    </EmptyState>
  );
}
