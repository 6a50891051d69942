/** What can be done with agents, one or many: when, in which words, and how it is taken back. */
import type { CoreClient } from '#renderer/connection/line.ts';
import { problemOf } from '#renderer/store/use-command.ts';
import type { Agent, AgentStatus } from '#shared/agents/model.ts';
import { isExternal } from '#shared/agents/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';

/** The lifecycle commands, in the order in which they are offered. */
export const AGENT_ACTIONS = ['start', 'stop', 'pause', 'resume', 'restart'] as const;
/** One of `AGENT_ACTIONS`. */
export type AgentAction = (typeof AGENT_ACTIONS)[number];

/** The words of each: on a button, in "3 agents were …", and what takes it back. */
export const ACTION_WORDS: Readonly<
  Record<
    AgentAction,
    {
      readonly verb: string;
      readonly done: string;
      readonly undo: { readonly action: AgentAction; readonly text: string } | undefined;
    }
  >
> = {
  start: { verb: 'Start', done: 'started', undo: { action: 'stop', text: 'Stop again' } },
  stop: { verb: 'Stop', done: 'stopped', undo: { action: 'start', text: 'Start again' } },
  pause: { verb: 'Pause', done: 'paused', undo: { action: 'resume', text: 'Resume' } },
  resume: { verb: 'Resume', done: 'resumed', undo: { action: 'pause', text: 'Pause again' } },
  restart: { verb: 'Restart', done: 'restarted', undo: undefined },
};

/** The keys of each. With Alt, as on an agent's own page, where plain letters seem to go to its terminal. */
export const ACTION_KEYS: Readonly<Record<AgentAction, string>> = {
  start: 'alt+s',
  stop: 'alt+x',
  pause: 'alt+p',
  resume: 'alt+p',
  restart: 'alt+r',
};

const POSSIBLE: Readonly<Record<AgentAction, readonly AgentStatus[]>> = {
  start: ['created', 'stopped', 'failed', 'lost'],
  // A lost agent may go on unseen: it can be ended.
  stop: ['starting', 'idle', 'working', 'waiting', 'paused', 'lost'],
  pause: ['idle', 'working', 'waiting'],
  resume: ['paused'],
  restart: ['idle', 'working', 'waiting', 'paused', 'failed', 'lost'],
};

/** Whether an action makes sense in a state. */
export function isPossible(action: AgentAction, status: AgentStatus): boolean {
  return POSSIBLE[action].includes(status);
}

/** Whether an action makes sense for an agent: the life of one from outside is not ours to command. */
export function canDo(action: AgentAction, agent: Pick<Agent, 'config' | 'state'>): boolean {
  return !isExternal(agent) && isPossible(action, agent.state.status);
}

/** Orders that are on their way at one time: the core does each agent by itself, and a browser must stay usable. */
const AT_ONCE = 8;

/** What became of an action on several agents. */
export interface ActionOutcome {
  readonly done: readonly AgentId[];
  readonly failed: readonly { readonly id: AgentId; readonly problem: string }[];
}

/** Does one thing with each of the agents. Never rejects: what failed is in the outcome, with why. `onDone` hears the count. */
export async function runAction(
  client: () => CoreClient,
  action: AgentAction,
  ids: readonly AgentId[],
  onDone: (count: number) => void = () => undefined,
): Promise<ActionOutcome> {
  const done: AgentId[] = [];
  const failed: { id: AgentId; problem: string }[] = [];
  const queue = [...ids];
  const work = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      try {
        await client().agents[action]({ id });
        done.push(id);
      } catch (error) {
        failed.push({ id, problem: problemOf(error) });
      }
      onDone(done.length + failed.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work));
  return { done, failed };
}

/** Failures shown in one toast; the others are counted. */
const FAILURES_SHOWN = 3;

/** What is said of an outcome: undefined when there is nothing to say. */
export function outcomeText(
  action: AgentAction,
  { done, failed }: ActionOutcome,
): { readonly title: string; readonly detail?: string } {
  const who = (ids: readonly string[]): string => (ids.length === 1 ? String(ids[0]) : `${ids.length} agents`);
  const { done: word } = ACTION_WORDS[action];
  if (failed.length === 0) return { title: `${who(done)} ${done.length === 1 ? 'was' : 'were'} ${word}` };
  const shown = failed.slice(0, FAILURES_SHOWN).map(({ id, problem }) => `${id}: ${problem}`);
  if (failed.length > FAILURES_SHOWN) shown.push(`And ${failed.length - FAILURES_SHOWN} more.`);
  const title =
    done.length === 0
      ? `${who(failed.map(({ id }) => id))} ${failed.length === 1 ? 'was' : 'were'} not ${word}`
      : `${done.length} of ${done.length + failed.length} agents were ${word}`;
  return { title, detail: shown.join(' ') };
}
