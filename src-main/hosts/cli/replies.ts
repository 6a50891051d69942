/** Waits for the replies to messages that were just sent. */
import * as z from 'zod';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Message } from '#shared/messages/model.ts';
import type { Output } from './output.ts';
import { oneLine, plain, shorten } from './output.ts';
import { CliError, ExitCode } from './cli-error.ts';
import { followEvents } from './follow.ts';
import type { FollowOptions } from './follow.ts';
import { clockTime } from './times.ts';

/** A message whose recipients are to answer. */
export interface Asked {
  readonly messageId: string;
  readonly recipients: readonly string[];
}

/** How to wait. */
export interface WaitOptions extends Omit<FollowOptions, 'after' | 'signal'> {
  /** The number of the journal before the messages were sent. */
  readonly after: number;
  readonly timeoutMs: number;
  readonly onReply: (reply: Message) => void;
}

const ReplyData = z.object({ ok: z.boolean() });
/** States in which nobody answers, unless somebody starts the agent again. */
const GONE: ReadonlySet<string> = new Set(['stopped', 'failed', 'lost']);

/** Whether a reply says that the work failed. */
export function isFailure(reply: Message): boolean {
  return ReplyData.safeParse(reply.data).data?.ok === false;
}

/**
 * Waits until every recipient has answered. TIMEOUT when it takes too long, FAILED when an agent that has not answered
 * has ended; the replies that came were handed to `onReply`.
 */
export async function waitForReplies(asked: readonly Asked[], options: WaitOptions): Promise<void> {
  const open = new Map<string, Set<string>>(asked.map(({ messageId, recipients }) => [messageId, new Set(recipients)] as const));
  const names = (): string => [...new Set([...open.values()].flatMap((recipients) => [...recipients]))].join(', ');
  const isOpen = (): boolean => [...open.values()].some((recipients) => recipients.size > 0);
  if (!isOpen()) return;
  const timeout = AbortSignal.timeout(options.timeoutMs);
  for await (const event of followEvents({ ...options, signal: timeout })) {
    const reply = replyIn(event);
    const waiting = open.get(reply?.inReplyTo ?? '');
    if (reply && waiting?.delete(reply.from.id)) {
      options.onReply(reply);
      if (!isOpen()) return;
    }
    const gone = event.kind === 'agent.state-changed' && GONE.has(event.data.state.status) ? event : undefined;
    if (gone && [...open.values()].some((recipients) => recipients.has(gone.subject))) {
      throw new CliError(
        'FAILED',
        `${gone.subject} is ${gone.data.state.status} (${oneLine(gone.data.state.evidence.detail)}) and has not answered.`,
      );
    }
  }
  throw new CliError('TIMEOUT', `No answer in time from ${names()}. It arrives in the inbox when it comes: quarterdeck inbox`);
}

function replyIn(event: JournalEvent): Message | undefined {
  return event.kind === 'message.sent' && event.data.message.kind === 'reply' ? event.data.message : undefined;
}

/** How much of a message is printed. */
export interface MessageView {
  /** Beside the id, for example that it was read. */
  readonly note?: string;
  /** brief: the first lines and the beginning of the data; text: the whole text; whole: everything. */
  readonly extent: 'brief' | 'text' | 'whole';
}

/** Lines and characters of a message in a list; the rest is a command away. */
const BRIEF_LINES = 12;
const BRIEF_DATA_CHARS = 200;

/** Prints a message: a heading, the text, and the data as JSON. */
export function printMessage(out: Output, message: Message, view: MessageView): void {
  const kind = message.priority === 'normal' ? message.kind : `${message.kind}, ${message.priority}`;
  const facts = [kind, clockTime(message.sentAt), message.id, ...(view.note === undefined ? [] : [view.note])].join(' · ');
  out.line(`${out.style(`${message.from.id} → ${message.to.join(', ')}`, 'strong')}  ${out.style(facts, 'dim')}`);
  if (message.subject !== null) out.line(`  ${out.style(oneLine(message.subject), 'strong')}`);
  const lines = plain(message.body).trimEnd().split('\n');
  const shown = view.extent === 'brief' ? lines.slice(0, BRIEF_LINES) : lines;
  for (const line of shown) out.line(`  ${line}`.trimEnd());
  if (shown.length < lines.length)
    out.line(out.style(`  … ${lines.length - shown.length} more lines: quarterdeck messages show ${message.id}`, 'dim'));
  // A worker's answer says in words what its data holds.
  if (message.data === null || view.extent === 'text') return;
  const style = isFailure(message) ? 'bad' : 'dim';
  if (view.extent === 'whole')
    for (const line of plain(JSON.stringify(message.data, undefined, 2)).split('\n')) out.line(out.style(`  ${line}`, style));
  else out.line(out.style(`  ${shorten(oneLine(JSON.stringify(message.data)), BRIEF_DATA_CHARS)}`, style));
}

/** The exit code of replies: 1 when one says that its work failed. */
export function exitCodeOf(replies: readonly Message[]): number {
  return replies.some(isFailure) ? ExitCode.failed : ExitCode.ok;
}
