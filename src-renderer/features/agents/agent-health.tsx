import { useCallback, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import * as z from 'zod';
import { useSession } from '#renderer/store/session-context.tsx';
import { useFreshMetrics, useSamples } from '#renderer/store/use-metrics.ts';
import { problemOf } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { shortDuration } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { Fact, Facts, PanelSection } from '#renderer/ui/panel.tsx';
import type { Agent, ExternalFacts } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import type { AgentHealth as HealthSchema } from '#shared/agents/contract.ts';
import { bytesText, memoryTop, percentText, responseText, SOURCE_WORDS } from './agent-figures.ts';
import { heartbeatText } from './config-words.ts';
import { Trend } from './panel-parts.tsx';
import { STATUS_LOOKS } from './status-look.ts';

type Answer = z.infer<typeof HealthSchema>;

/** How often an agent that is looked at is asked how it is, in milliseconds. */
const ASK_EVERY_MS = 10_000;
/** Response times kept while one looks. */
const RESPONSES_KEPT = 60;

interface HealthState {
  readonly answer: Answer | undefined;
  readonly at: number | undefined;
  readonly problem: string | undefined;
  /** Milliseconds, oldest first, since this was opened. */
  readonly responses: readonly number[];
  readonly isAsking: boolean;
}

const UNASKED: HealthState = { answer: undefined, at: undefined, problem: undefined, responses: [], isAsking: false };

function useHealth(agentId: Agent['id']): HealthState & { readonly ask: () => void } {
  const session = useSession();
  const [state, setState] = useState(UNASKED);
  const ask = useCallback((): void => {
    Promise.resolve()
      .then(() => {
        setState((known) => ({ ...known, isAsking: true }));
        return session.client.agents.health({ id: agentId });
      })
      .then((answer) =>
        setState(({ responses }) => ({
          answer,
          at: Date.now(),
          problem: undefined,
          responses: answer.responseMs === null ? responses : [...responses, answer.responseMs].slice(-RESPONSES_KEPT),
          isAsking: false,
        })),
      )
      .catch((error: unknown) => setState((known) => ({ ...known, problem: problemOf(error), isAsking: false })));
  }, [session, agentId]);
  useEffect(() => {
    ask();
    const timer = setInterval(() => {
      if (!document.hidden) ask();
    }, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [ask]);
  return { ...state, ask };
}

const ENDPOINTS: Readonly<Record<Answer['endpoint'], { readonly look: StateLook; readonly text: string }>> = {
  answered: { look: { shape: 'dot', tone: 'working', word: 'Answers' }, text: 'Its health endpoint answers' },
  unanswered: { look: { shape: 'cross', tone: 'failed', word: 'Silent' }, text: 'Its health endpoint does not answer' },
  none: {
    look: { shape: 'ring', tone: 'stopped', word: 'None' },
    text: 'Agents of this type serve no health endpoint',
  },
};

const NONE: readonly number[] = [];

/** How an agent is, as far as anything says so: its own answer, its process measured from outside, and how that went. */
export function AgentHealth({ agent }: { readonly agent: Agent }): ReactNode {
  const { external } = agent.config;
  return external === undefined ? <Measured agent={agent} /> : <Heard agent={agent} external={external} />;
}

interface HeardProps {
  readonly agent: Agent;
  readonly external: ExternalFacts;
}

/** One from outside: there is nothing of it here to be measured, only its calls. */
function Heard({ agent: { state }, external }: HeardProps): ReactNode {
  const look = STATUS_LOOKS[state.status];
  return (
    <PanelSection title="Its calls" aside={<RelativeTime at={state.since} />}>
      <p className="flex items-center gap-2 text-13">
        <StateMark look={look} />
        <StateWord look={look} />
      </p>
      <p className="mt-1 text-12 leading-[18px] text-pretty break-words text-tx-2">
        Known by {SOURCE_WORDS[state.evidence.source]}: {visibleText(state.evidence.detail)}
      </p>
      <div className="mt-2">
        <Facts>
          <Fact name="Heartbeat">{heartbeatText(external)}</Fact>
        </Facts>
      </div>
      <p className="mt-2 text-12 leading-[18px] text-pretty text-tx-3">
        It runs outside Quarterdeck: its process is not measured here, and is not asked how it is.
      </p>
    </PanelSection>
  );
}

/** One of ours. */
function Measured({ agent }: { readonly agent: Agent }): ReactNode {
  const { answer, at, problem, responses, isAsking, ask } = useHealth(agent.id);
  useFreshMetrics();
  const samples = useSamples(agent.id);
  if (answer === undefined) {
    if (problem !== undefined)
      return (
        <Notice title="Its health is not known." detail={problem}>
          <Button size="small" onClick={ask}>
            Try again
          </Button>
        </Notice>
      );
    return (
      <div className="px-4 py-3">
        <SkeletonText lines={6} />
      </div>
    );
  }
  if (!isAlive(agent.state.status) && answer.process === null)
    return (
      <EmptyState title="It does not run">
        <p>There is nothing to measure. What was measured before is not kept.</p>
      </EmptyState>
    );
  const { look, text } = ENDPOINTS[answer.endpoint];
  const lastResponse = responses.at(-1);
  const cpu = samples?.cpu ?? NONE;
  const memory = samples?.memoryBytes ?? NONE;
  const since = samples?.at[0];
  return (
    <>
      {problem === undefined ? null : <Notice title="It was not asked again." detail={problem} />}
      <PanelSection
        title="Its own answer"
        aside={
          at === undefined ? (
            ''
          ) : (
            <>
              asked <RelativeTime at={at} />
            </>
          )
        }
      >
        <p className="flex items-center gap-2 text-13">
          <StateMark look={look} />
          <span className="min-w-0 flex-1">{text}</span>
          <Button size="small" disabled={isAsking} onClick={ask}>
            Ask now
          </Button>
        </p>
        {answer.problem === null ? null : <p className="mt-1 text-12 break-words text-tx-2">{answer.problem}</p>}
        {answer.report === null ? null : (
          <div className="mt-2">
            <Facts>
              {reportFacts(answer.report).map(([name, value]) => (
                <Fact key={name} name={name} isFigure>
                  {value}
                </Fact>
              ))}
            </Facts>
          </div>
        )}
      </PanelSection>
      <PanelSection title="Its process, from outside">
        {answer.process === null ? (
          <p className="text-12 text-tx-2">No process was found.</p>
        ) : (
          <Facts>
            <Fact name="Process" isFigure>
              {answer.process.pid}
            </Fact>
            <Fact name="With its own" isFigure>
              {answer.process.processes} {answer.process.processes === 1 ? 'process' : 'processes'}
            </Fact>
            <Fact name="CPU time" isFigure>
              {answer.process.cpuMs < 60_000 ? responseText(answer.process.cpuMs) : shortDuration(answer.process.cpuMs)}
            </Fact>
            <Fact name="Memory" isFigure>
              {bytesText(answer.process.memoryBytes)}
            </Fact>
          </Facts>
        )}
      </PanelSection>
      <PanelSection
        title="Course"
        aside={
          since === undefined ? (
            'nothing measured yet'
          ) : (
            <>
              since <RelativeTime at={since} />
            </>
          )
        }
      >
        <Trend
          name="CPU"
          agentId={agent.id}
          values={cpu}
          max={Math.max(100, ...cpu)}
          format={percentText}
          now={cpu.length === 0 ? '–' : percentText(cpu.at(-1) ?? 0)}
        />
        <Trend
          name="Memory"
          agentId={agent.id}
          values={memory}
          max={memoryTop(memory)}
          format={bytesText}
          now={memory.length === 0 ? '–' : bytesText(memory.at(-1) ?? 0)}
        />
        {answer.endpoint === 'none' ? null : (
          <Trend
            name="Response"
            agentId={agent.id}
            values={responses}
            format={responseText}
            now={lastResponse === undefined ? '–' : responseText(lastResponse)}
          />
        )}
        <p className="mt-2 text-12 leading-[18px] text-pretty text-tx-3">
          {answer.endpoint === 'none'
            ? 'Kept in memory only, for some minutes.'
            : 'Kept in memory only, for some minutes; response times since this tab was opened.'}
        </p>
      </PanelSection>
    </>
  );
}

/** What the endpoint reported, in rows: sizes and durations by the ends of their names, what is nested as `name.part`. */
function reportFacts(report: Readonly<Record<string, unknown>>, prefix = ''): readonly (readonly [string, string])[] {
  return Object.entries(report).flatMap(([key, value]): readonly (readonly [string, string])[] => {
    const nested = z.record(z.string(), z.unknown()).safeParse(value);
    if (nested.success) return reportFacts(nested.data, `${key}.`);
    const name = `${prefix}${key.replace(/(Bytes|Ms)$/, '')}`;
    if (typeof value === 'number' && key.endsWith('Bytes')) return [[name, bytesText(value)]];
    if (typeof value === 'number' && key.endsWith('Ms')) return [[name, shortDuration(value)]];
    return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
}
