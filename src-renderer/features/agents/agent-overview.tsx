import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import { useSession } from '#renderer/store/session-context.tsx';
import { useOpenQuestions } from '#renderer/store/use-attention.ts';
import { useFreshMetrics, useSamples } from '#renderer/store/use-metrics.ts';
import { CopyLine } from '#renderer/ui/copy-button.tsx';
import { fullTime } from '#renderer/ui/format-time.ts';
import { Progress } from '#renderer/ui/progress.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { Fact, Facts, PanelSection } from '#renderer/ui/panel.tsx';
import { isHeld } from '#shared/attention/attention.ts';
import type { Agent, AgentState } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import { parseSize } from '#shared/kernel/units.ts';
import type { InboxQueue } from '#shared/messages/model.ts';
import { bytesText, memoryTop, percentText, SOURCE_WORDS } from './agent-figures.ts';
import { limitTexts } from './agent-limits.ts';
import { AgentQuestion } from './agent-question.tsx';
import { Trend } from './panel-parts.tsx';
import { STATUS_LOOKS } from './status-look.ts';

interface AgentOverviewProps {
  readonly agent: Agent;
  /** What it works on: another feature's. */
  readonly workspace: ReactNode;
}

/** How an agent stands: what it waits for, what it says, why its state is what it is, and what it uses. */
export function AgentOverview({ agent, workspace }: AgentOverviewProps): ReactNode {
  const questions = useOpenQuestions(agent.id);
  const [first] = questions;
  return (
    <>
      {first === undefined ? null : (
        <AgentQuestion
          key={first.message.id}
          agentId={agent.id}
          message={first.message}
          isAwaited={first.item.isAwaited}
          more={questions.length - 1}
        />
      )}
      <SaysSection agent={agent} />
      <StateSection agent={agent} />
      {workspace}
      {isExternal(agent) ? null : <UseSection agent={agent} />}
      <InboxSection agentId={agent.id} />
      {isExternal(agent) ? null : <RunSection agent={agent} />}
      <AbilitySection agent={agent} />
    </>
  );
}

function SaysSection({ agent: { says, config, state } }: { readonly agent: Agent }): ReactNode {
  if (says === null || says.doing === '' || !isAlive(state.status)) {
    if (config.description === '') return null;
    return (
      <PanelSection title="What it is for">
        <p className="text-13 leading-[18px] text-pretty [overflow-wrap:anywhere] text-tx-2">{visibleText(config.description)}</p>
      </PanelSection>
    );
  }
  return (
    <PanelSection title="Says" aside={<RelativeTime at={says.at} />}>
      <p className="text-13 leading-[18px] text-pretty break-words">{visibleText(says.doing)}</p>
      {says.progress === null ? null : <Progress label="Progress, by its own count" value={says.progress} className="mt-2" />}
    </PanelSection>
  );
}

/** What is known of a state beyond its name. */
function reasonText(state: AgentState): string | undefined {
  switch (state.status) {
    case 'waiting':
    case 'failed':
    case 'lost':
      return state.reason;
    case 'paused':
      return isHeld(state) ? state.evidence.detail : `It was ${state.from}, and goes on there.`;
    case 'stopped':
      if (state.exit.signal !== undefined) return `Ended by ${state.exit.signal}`;
      return state.exit.code === undefined ? undefined : `Exit code ${state.exit.code}`;
    case 'created':
      return 'It was never started.';
    case 'starting':
    case 'idle':
    case 'working':
    case 'stopping':
      return undefined;
  }
}

function StateSection({ agent: { state } }: { readonly agent: Agent }): ReactNode {
  const look = STATUS_LOOKS[state.status];
  const reason = reasonText(state);
  return (
    <PanelSection title="State" aside={<RelativeTime at={state.since} />}>
      <p className="flex items-center gap-2 text-13">
        <StateMark look={look} />
        <StateWord look={look} />
        {reason === undefined ? null : <span className="min-w-0 break-words text-tx-1">{reason}</span>}
      </p>
      <p className="mt-1 text-12 leading-[18px] text-pretty break-words text-tx-2">
        Known by {SOURCE_WORDS[state.evidence.source]}: {visibleText(state.evidence.detail)}
      </p>
    </PanelSection>
  );
}

const NONE: readonly number[] = [];

function UseSection({ agent }: { readonly agent: Agent }): ReactNode {
  useFreshMetrics();
  const samples = useSamples(agent.id);
  const isRunning = isAlive(agent.state.status);
  const { cpu, memory } = agent.config.resourceLimits;
  const cores = Number(cpu) * 100;
  const most = parseSize(memory);
  const cpuValues = isRunning ? (samples?.cpu ?? NONE) : NONE;
  const memoryValues = isRunning ? (samples?.memoryBytes ?? NONE) : NONE;
  const lastCpu = cpuValues.at(-1);
  const lastMemory = memoryValues.at(-1);
  const lastAt = isRunning ? samples?.at.at(-1) : undefined;
  return (
    <PanelSection
      title="Use of the machine"
      aside={
        lastAt === undefined ? (
          isRunning ? (
            'not measured yet'
          ) : (
            'does not run'
          )
        ) : (
          <>
            measured <RelativeTime at={lastAt} />
          </>
        )
      }
    >
      <Trend
        name="CPU"
        agentId={agent.id}
        values={cpuValues}
        max={Math.max(cores, ...cpuValues)}
        format={percentText}
        now={lastCpu === undefined ? '–' : `${percentText(lastCpu)} of ${percentText(cores)}`}
      />
      <Trend
        name="Memory"
        agentId={agent.id}
        values={memoryValues}
        max={memoryTop(memoryValues)}
        format={bytesText}
        now={lastMemory === undefined ? '–' : `${bytesText(lastMemory)}${most === undefined ? '' : ` of ${bytesText(most)}`}`}
      />
    </PanelSection>
  );
}

/** What waits in the agent's inbox; undefined until it is known. The window counts anew whenever a delivery changes. */
function useQueue(agentId: string): Pick<InboxQueue, 'queued' | 'unread' | 'oldestQueuedAt'> | undefined {
  const { counts } = useSession().messages;
  const all = useStore(counts, (table) => table['']);
  return all && (all.queues.find(({ recipient }) => recipient === agentId) ?? EMPTY_QUEUE);
}

const EMPTY_QUEUE = { queued: 0, unread: 0, oldestQueuedAt: null };

function InboxSection({ agentId }: { readonly agentId: string }): ReactNode {
  const queue = useQueue(agentId);
  return (
    <PanelSection title="Inbox">
      <Facts>
        <Fact name="Unread" isFigure>
          {queue?.unread ?? '–'}
        </Fact>
        <Fact name="Not fetched" isFigure>
          {queue === undefined ? '–' : queue.queued}
          {queue === undefined || queue.oldestQueuedAt === null ? null : (
            <span className="font-ui text-tx-3">
              {', the oldest '}
              <RelativeTime at={queue.oldestQueuedAt} />
            </span>
          )}
        </Fact>
      </Facts>
    </PanelSection>
  );
}

function RunSection({ agent: { run, starts, state, template, createdAt } }: { readonly agent: Agent }): ReactNode {
  return (
    <PanelSection title={run === null || isAlive(state.status) ? 'Run' : 'Last run'} aside={`started ${times(starts)}`}>
      <Facts>
        {run === null ? null : (
          <>
            <Fact name="Began">
              <span title={fullTime(run.startedAt)}>
                <RelativeTime at={run.startedAt} />
              </span>
            </Fact>
            <Fact name="Process" isFigure>
              {run.pid}
            </Fact>
          </>
        )}
        <Fact name="Created">
          <RelativeTime at={createdAt} />
          {template === null ? '' : `, from the template ${template}`}
        </Fact>
      </Facts>
      {run === null || run.attachCommand === null ? null : (
        <div className="mt-2">
          <p className="mb-1 text-12 text-tx-3">In your own terminal</p>
          <CopyLine text={run.attachCommand} />
        </div>
      )}
    </PanelSection>
  );
}

function times(count: number): string {
  return count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`;
}

function AbilitySection({ agent }: { readonly agent: Agent }): ReactNode {
  const { capabilities } = agent.config;
  return (
    <PanelSection title={isExternal(agent) ? 'Abilities' : 'Limits and abilities'}>
      <Facts>
        {limitTexts(agent).map(({ name, text }) => (
          <Fact key={name} name={name}>
            {text}
          </Fact>
        ))}
        <Fact name="Capabilities">{capabilities.length === 0 ? 'none stated' : capabilities.join(', ')}</Fact>
      </Facts>
    </PanelSection>
  );
}
