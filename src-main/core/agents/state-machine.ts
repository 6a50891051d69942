/**
 * The one place where an agent's state changes: facts in, states out. Pure.
 * A fact that does not fit the present state changes nothing; nothing here guesses.
 */
import type { ActiveStatus, AgentState, AgentStatus, Evidence, ProcessExit } from '#shared/agents/model.ts';

/** Something that was observed or ordered. */
export type AgentFact =
  | { readonly type: 'start-ordered'; readonly by: string }
  | { readonly type: 'process-started'; readonly pid: number; readonly status: 'starting' | 'working' }
  /** `isBoundary`: the proof of its box did not hold. */
  | { readonly type: 'launch-failed'; readonly reason: string; readonly isBoundary?: boolean }
  | { readonly type: 'activity'; readonly held: number; readonly detail: string }
  /** Its box does not hold any more. */
  | { readonly type: 'box-broken'; readonly reason: string }
  | { readonly type: 'stop-ordered'; readonly by: string }
  | { readonly type: 'timed-out'; readonly timeoutMs: number }
  /** `cause`: what the runtime knows beside the exit. */
  | { readonly type: 'exited'; readonly exit: ProcessExit; readonly cause?: string | undefined }
  /** `because`: the core's own reason; without one it was ordered. */
  | { readonly type: 'frozen'; readonly by: string; readonly because?: string | undefined }
  | { readonly type: 'thawed'; readonly by: string }
  | {
      readonly type: 'adopted';
      readonly pid: number;
      readonly isPaused: boolean;
      readonly status: 'starting' | ActiveStatus;
      readonly detail: string;
    }
  | { readonly type: 'unreachable'; readonly reason: string }
  /** One from outside called after it was missed. */
  | { readonly type: 'heard'; readonly held: number; readonly detail: string }
  /** Nothing was heard of one from outside for too long. */
  | { readonly type: 'silent'; readonly reason: string; readonly detail: string };

/** How an exit is described to people. */
export function describeExit(exit: ProcessExit): string {
  return exit.signal !== undefined ? `ended by ${exit.signal}` : `exit code ${exit.code ?? 'unknown'}`;
}

function isSuccess(exit: ProcessExit): boolean {
  return exit.code === 0 && exit.signal === undefined;
}

function isOneOf<S extends AgentStatus>(
  state: AgentState,
  ...statuses: readonly S[]
): state is Extract<AgentState, { status: S }> {
  return (statuses as readonly AgentStatus[]).includes(state.status);
}

/** The state after a fact at time `at`; undefined when it changes nothing. */
export function nextState(state: AgentState, fact: AgentFact, at: number): AgentState | undefined {
  const because = (source: Evidence['source'], detail: string) => ({ since: at, evidence: { source, detail, at } });
  switch (fact.type) {
    case 'start-ordered':
      return isOneOf(state, 'created', 'stopped', 'failed', 'lost')
        ? { status: 'starting', ...because('command', `start ordered by ${fact.by}`) }
        : undefined;
    case 'process-started':
      return isOneOf(state, 'starting') ? { status: fact.status, ...because('process', `process ${fact.pid} runs`) } : undefined;
    case 'launch-failed':
      return isOneOf(state, 'starting')
        ? { status: 'failed', reason: fact.reason, ...because(fact.isBoundary === true ? 'boundary' : 'runtime', fact.reason) }
        : undefined;
    case 'activity': {
      if (!isOneOf(state, 'starting', 'idle', 'working', 'waiting')) return undefined;
      const status = fact.held > 0 ? 'working' : 'idle';
      return state.status === status ? undefined : { status, ...because('interface', fact.detail) };
    }
    case 'box-broken':
      return isOneOf(state, 'starting', 'idle', 'working', 'waiting', 'paused', 'stopping', 'lost')
        ? { status: 'failed', reason: fact.reason, ...because('boundary', fact.reason) }
        : undefined;
    case 'stop-ordered':
      return isOneOf(state, 'starting', 'idle', 'working', 'waiting', 'paused', 'lost')
        ? { status: 'stopping', ...because('command', `stop ordered by ${fact.by}`) }
        : undefined;
    case 'timed-out':
      return isOneOf(state, 'starting', 'idle', 'working', 'waiting', 'paused')
        ? {
            status: 'failed',
            reason: `ran longer than its limit of ${fact.timeoutMs} ms`,
            ...because('clock', `limit of ${fact.timeoutMs} ms reached`),
          }
        : undefined;
    case 'exited':
      return afterExit(state, fact.exit, fact.cause, at);
    case 'frozen':
      return isOneOf(state, 'idle', 'working', 'waiting')
        ? {
            status: 'paused',
            from: state.status,
            ...(fact.because === undefined
              ? because('process', `every process is stopped, ordered by ${fact.by}`)
              : because('runtime', fact.because)),
          }
        : undefined;
    case 'thawed':
      if (state.status !== 'paused') return undefined;
      return state.from === 'waiting'
        ? { status: 'waiting', reason: 'resumed', ...because('process', `processes run again, ordered by ${fact.by}`) }
        : { status: state.from, ...because('process', `processes run again, ordered by ${fact.by}`) };
    case 'adopted': {
      if (isOneOf(state, 'stopped', 'failed', 'created')) return undefined;
      const status = fact.isPaused ? 'paused' : fact.status;
      // What goes on as it was has been so since then; only what shows it is new.
      const found = { ...because('process', fact.detail), ...(state.status === status ? { since: state.since } : {}) };
      if (status === 'paused')
        return {
          status,
          from: state.status === 'paused' ? state.from : fact.status === 'starting' ? 'idle' : fact.status,
          ...found,
          // Why the core paused it is still so.
          ...(state.status === 'paused' && state.evidence.source === 'runtime' ? { evidence: state.evidence } : {}),
        };
      return status === 'waiting'
        ? { status, reason: state.status === 'waiting' ? state.reason : 'adopted', ...found }
        : { status, ...found };
    }
    case 'heard':
      return isOneOf(state, 'lost')
        ? { status: fact.held > 0 ? 'working' : 'idle', ...because('interface', fact.detail) }
        : undefined;
    case 'silent':
      return isOneOf(state, 'idle', 'working', 'waiting')
        ? { status: 'lost', reason: fact.reason, ...because('clock', fact.detail) }
        : undefined;
    case 'unreachable':
      return isOneOf(state, 'starting', 'idle', 'working', 'waiting', 'paused', 'stopping')
        ? { status: 'lost', reason: fact.reason, ...because('runtime', fact.reason) }
        : undefined;
  }
}

function afterExit(state: AgentState, exit: ProcessExit, cause: string | undefined, at: number): AgentState | undefined {
  const because = { since: at, evidence: { source: 'process' as const, detail: describeExit(exit), at } };
  const reason = cause === undefined ? describeExit(exit) : `${cause} (${describeExit(exit)})`;
  // A timeout, or a box that broke, is the cause; the exit that it forced only completes it.
  const isEnded = state.status === 'failed' && ['clock', 'boundary'].includes(state.evidence.source);
  if (isEnded && state.exit === undefined) return { ...state, exit };
  if (!isOneOf(state, 'starting', 'idle', 'working', 'waiting', 'paused', 'stopping', 'lost')) return undefined;
  if (state.status === 'stopping' || isSuccess(exit)) return { status: 'stopped', exit, ...because };
  return { status: 'failed', reason, exit, ...because };
}
