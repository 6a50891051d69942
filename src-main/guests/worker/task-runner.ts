/** One task from its message to its answer: runs it, replies once, and only then acknowledges it. */
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOutcome } from '#shared/worker/outcome.ts';
import { OPS } from '#shared/worker/model.ts';
import { CallError } from './agent-interface.ts';
import type { AgentInterface } from './agent-interface.ts';
import { describeOutcome, seconds } from './describe-outcome.ts';
import { executeTask, taskOfBody } from './execute-task.ts';
import { replyAddress } from './inbox-message.ts';
import type { InboxMessage } from './inbox-message.ts';
import { packValue, removeFiles, unpackValue } from './large-values.ts';
import { PeerAsks } from './peer-asks.ts';
import type { ProcessGroups } from './process-groups.ts';
import type { ReplyDesk } from './reply-desk.ts';
import type { TaskSettings } from './task-context.ts';
import { failureOf, TaskFailure } from './task-failure.ts';
import type { TerminalView } from './terminal-view.ts';
import type { Workspace } from './workspace.ts';

/** What all tasks of a worker share. */
export interface TaskRunnerOptions {
  readonly agentId: string;
  readonly door: AgentInterface;
  readonly replies: ReplyDesk;
  readonly workspace: Workspace;
  readonly processes: ProcessGroups;
  readonly settings: TaskSettings;
  readonly commandEnv: Readonly<Record<string, string>>;
  /** Longest time of one task in milliseconds; 0 for no limit. */
  readonly taskTimeoutMs: number;
  readonly view: TerminalView;
}

/** What one run of a task needs besides. */
export interface TaskRun {
  readonly message: InboxMessage;
  /** Tells tasks apart in the terminal; "" when only one runs at a time. */
  readonly tag: string;
  readonly progress: (share: number) => void;
  /** Aborted when the worker ends: then nothing is answered, and the next start takes the task up again. */
  readonly signal: AbortSignal;
}

/** A task that was answered. */
export interface TaskDone {
  readonly outcome: TaskOutcome;
  /** The messages that were acknowledged with it: its own, and the replies that it used. */
  readonly acknowledged: readonly string[];
}

/** Runs a task, answers it and acknowledges it. Rejects with the signal's reason when the worker ends. */
export async function runTask(options: TaskRunnerOptions, run: TaskRun): Promise<TaskDone> {
  const { door, view, workspace } = options;
  const { message, signal, tag } = run;
  const asks = new PeerAsks({ ...options, taskId: message.id });
  const startedAt = performance.now();
  const outcome = await perform(options, run, asks, () => Math.round(performance.now() - startedAt));
  signal.throwIfAborted();

  if (outcome.ok) view.line('done', `done in ${seconds(outcome.durationMs)}`, tag);
  else view.line('failed', outcome.error.message, tag);
  await reply(options, message, outcome, signal);
  const acknowledged = [message.id, ...asks.consumed];
  await door.markRead(acknowledged, signal).catch((error: unknown) => {
    // Refused: it will be handed out again, and the reply's key keeps it from being answered twice.
    if (!(error instanceof CallError) || error.kind !== 'refused') throw error;
    view.line('failed', `could not be acknowledged: ${error.message}`, tag);
  });
  await removeFiles(workspace, asks.files);
  return { outcome, acknowledged };
}

async function perform(options: TaskRunnerOptions, run: TaskRun, asks: PeerAsks, elapsedMs: () => number): Promise<TaskOutcome> {
  const { message, signal, tag } = run;
  const limit = new AbortController();
  const { taskTimeoutMs } = options;
  const timer =
    taskTimeoutMs === 0
      ? undefined
      : setTimeout(() => limit.abort(new TaskFailure('timeout', `The task took longer than ${taskTimeoutMs} ms`)), taskTimeoutMs);
  const stop = AbortSignal.any([signal, limit.signal]);
  const output = options.view.output(tag);
  try {
    const { result, artefacts } = await executeTask(
      await taskOf(options.workspace, message),
      {
        agentId: options.agentId,
        workspace: options.workspace,
        processes: options.processes,
        settings: options.settings,
        commandEnv: options.commandEnv,
        ask: (request) => asks.ask(request),
        askOperator: (question) => asks.askOperator(question),
        output: (chunk) => output.add(chunk),
        say: (text) => options.view.line('info', text, tag),
        progress: run.progress,
      },
      stop,
    );
    return { ok: true, result, ...(artefacts.length === 0 ? {} : { artefacts }), durationMs: elapsedMs() };
  } catch (error) {
    // A token that is not accepted any more ends the worker, not the task.
    if (error instanceof CallError && error.kind === 'revoked') throw error;
    // What an operation throws when it is stopped varies; why it was stopped is what counts.
    const cause: unknown = stop.aborted ? stop.reason : error;
    if (!(cause instanceof TaskFailure) && !stop.aborted)
      options.view.line('failed', cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), tag);
    return { ok: false, error: failureOf(cause), durationMs: elapsedMs() };
  } finally {
    clearTimeout(timer);
    output.end();
  }
}

/** The job in a message. Throws a TaskFailure that says what a job looks like. */
async function taskOf(workspace: Workspace, message: InboxMessage): Promise<Json> {
  if (message.data !== undefined && message.data !== null) return (await unpackValue(workspace, message.data)).value;
  const command = message.kind === 'task' ? taskOfBody(message.body) : undefined;
  if (command !== undefined) return command;
  throw new TaskFailure(
    'invalid-task',
    `A worker does not read prose: put the job into the message's data, as {"op": …} with one of ${OPS.join(', ')}; or send a task whose body is one line "$ command"`,
  );
}

/** Sends the answer. One that is refused is replaced by a short one that says so. */
async function reply(
  options: TaskRunnerOptions,
  message: InboxMessage,
  outcome: TaskOutcome,
  signal: AbortSignal,
): Promise<void> {
  const { door, view, workspace } = options;
  const key = `reply:${message.id}`;
  const base = { to: replyAddress(message), kind: 'reply', inReplyTo: message.id, priority: replyPriority(message) } as const;
  try {
    const data = await packOutcome(workspace, outcome, key);
    await door.send({ ...base, body: describeOutcome(outcome), data, idempotencyKey: key }, signal);
  } catch (error) {
    if (!(error instanceof CallError) || error.kind !== 'refused') throw error;
    view.line('failed', `the answer was refused: ${error.message}`);
    const short: TaskOutcome = {
      ok: false,
      error: {
        kind: 'too-large',
        message: `The task ${outcome.ok ? 'was done' : 'failed'}, but its answer was refused: ${error.message}`,
      },
      durationMs: outcome.durationMs,
    };
    await door
      .send({ ...base, body: describeOutcome(short), data: short, idempotencyKey: `${key}:short` }, signal)
      .catch((again: unknown) => {
        // Nobody can be told (the sender is gone, say): the task is done all the same.
        if (!(again instanceof CallError) || again.kind !== 'refused') throw again;
      });
  }
}

async function packOutcome(workspace: Workspace, outcome: TaskOutcome, key: string): Promise<Json> {
  if (!outcome.ok) return { ...outcome, error: { ...outcome.error } };
  const packed = await packValue(workspace, outcome.result, key);
  const artefacts = [...(outcome.artefacts ?? []), ...(packed.file === undefined ? [] : [packed.file])];
  return { ...outcome, result: packed.value, artefacts: artefacts.map((artefact) => ({ ...artefact })) };
}

/** Answers that a peer's task waits for come before new work. */
function replyPriority(message: InboxMessage): string {
  if (message.kind !== 'request') return message.priority;
  return message.priority === 'critical' ? 'critical' : 'high';
}
