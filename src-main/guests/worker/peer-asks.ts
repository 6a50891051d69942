/**
 * Asking peers and the operator, once each: a request carries a key made of the task's message and the place in the task, so that a task that
 * is run again (after a crash, or because it was delivered twice) finds the request sent and takes its reply.
 */
import { createHash } from 'node:crypto';
import type { Json } from '#shared/kernel/json.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import { TaskOutcome } from '#shared/worker/outcome.ts';
import { CallError } from './agent-interface.ts';
import type { AgentInterface } from './agent-interface.ts';
import type { InboxMessage } from './inbox-message.ts';
import { packValue, unpackValue } from './large-values.ts';
import type { ReplyDesk } from './reply-desk.ts';
import type { AskRequest, OperatorQuestion } from './task-context.ts';
import { TaskFailure } from './task-failure.ts';
import type { Workspace } from './workspace.ts';

/** The core takes no shorter time to live, in milliseconds. */
const LEAST_TTL_MS = 1_000;
/** Longest place that is written out in a key. */
const MAX_PLACE_CHARS = 100;

/** What asking needs. */
export interface PeerAsksOptions {
  readonly agentId: string;
  readonly door: AgentInterface;
  readonly replies: ReplyDesk;
  readonly workspace: Workspace;
  /** The message that the task came with. */
  readonly taskId: string;
}

/** The asks of one task. What they leave behind is released when the task has been answered. */
export class PeerAsks {
  readonly #options: PeerAsksOptions;
  /** Replies that were used: acknowledged together with the task, never before it. */
  readonly consumed: string[] = [];
  /** Files of large values that are needed no more when the task has been answered. */
  readonly files: string[] = [];

  constructor(options: PeerAsksOptions) {
    this.#options = options;
  }

  /** Sends a request and resolves to the result in its reply. Rejects with a TaskFailure. */
  async ask(request: AskRequest): Promise<Json> {
    const { workspace, taskId } = this.#options;
    if (request.to === this.#options.agentId)
      throw new TaskFailure('ask', 'A worker cannot ask itself: it might wait for its own slot for ever');
    const key = askKey(taskId, request.place);
    const packed = await packValue(workspace, request.task, key);
    if (packed.file !== undefined) this.files.push(packed.file.path);
    const op = typeof request.task['op'] === 'string' ? request.task['op'] : 'a task';
    const message = {
      to: request.to,
      subject: request.subject ?? op,
      body: `Please do "${op}"; the job is in the data.`,
      data: packed.value,
    };
    const reply = await this.#exchange(message, key, request);
    return this.#resultOf(request.to, reply.body, reply.data ?? null);
  }

  /** Asks the operator and resolves to the text of the answer. Rejects with a TaskFailure, kind timeout when none came. */
  async askOperator(question: OperatorQuestion): Promise<string> {
    const key = askKey(this.#options.taskId, question.place);
    const { text, options, timeoutMs } = question;
    // Nobody needs to answer any more once nobody waits.
    const message = { to: OPERATOR, body: text, data: { options: [...options] }, ttlMs: Math.max(LEAST_TTL_MS, timeoutMs) };
    return (await this.#exchange(message, key, question)).body.trim();
  }

  async #exchange(
    message: { readonly to: string; readonly body: string; readonly [field: string]: Json },
    key: string,
    wait: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<InboxMessage> {
    const { door, replies, taskId } = this.#options;
    const sent = await door
      .send({ ...message, kind: 'request', inReplyTo: taskId, idempotencyKey: key }, wait.signal)
      .catch((error: unknown) => {
        throw error instanceof CallError && error.kind === 'refused'
          ? new TaskFailure('ask', `"${message.to}" could not be asked: ${error.message}`, { cause: error })
          : error;
      });
    // Sent in an earlier run: its reply may have been handed out, or even read, back then.
    if (sent.isDuplicate) {
      const earlier = await door.findReply(sent.messageId, wait.signal);
      if (earlier !== undefined) replies.deliver(earlier);
    }
    const reply = await replies.replyTo(sent.messageId, wait.timeoutMs, wait.signal).catch((error: unknown) => {
      throw error instanceof TaskFailure
        ? new TaskFailure(error.kind, `"${message.to}": ${error.message}`, { cause: error })
        : error;
    });
    this.consumed.push(reply.id);
    return reply;
  }

  async #resultOf(peer: string, body: string, data: Json): Promise<Json> {
    const outcome = TaskOutcome.safeParse(data).data;
    // A peer that is no worker answers in its own words.
    if (outcome === undefined) return { body, data };
    if (!outcome.ok)
      throw new TaskFailure('peer', `"${peer}" answered: ${outcome.error.message}`, {
        detail: { peer, error: { ...outcome.error } },
      });
    const { value, file } = await unpackValue(this.#options.workspace, outcome.result);
    if (file !== undefined) this.files.push(file);
    return value;
  }
}

/** The key of a request: the same for the same place of the same task. */
export function askKey(taskId: string, place: string): string {
  const shown = place.length <= MAX_PLACE_CHARS ? place : createHash('sha256').update(place).digest('hex');
  return `ask:${taskId}:${shown}`;
}
