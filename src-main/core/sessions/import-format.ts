/** What lines of the formats that can be imported mean. Pure. */
import * as z from 'zod';
import type { MessageId, SessionId } from '#shared/kernel/ids.ts';
import { describeInvalid } from '#shared/kernel/describe-issues.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { Message } from '#shared/messages/model.ts';
import type { DeliveryEnd } from '#shared/sessions/mirror-lines.ts';
import { EndLine, MessageLine, MIRROR_FORMAT, SessionLine } from '#shared/sessions/mirror-lines.ts';

/** A message that is to be imported, with project and session as they are written there. */
export interface SourceMessage {
  readonly kind: 'message';
  readonly message: Message;
  readonly ttlMs: number | null;
  readonly ends: readonly DeliveryEnd[];
}

/** How a copy of a message ended. */
export interface SourceEnd {
  readonly kind: 'end';
  readonly messageId: MessageId;
  readonly end: DeliveryEnd;
}

/** When a session began. */
export interface SourceSession {
  readonly kind: 'session';
  readonly id: SessionId;
  readonly startedAt: number;
}

/** What a line of a source says. */
export type SourceRecord = SourceMessage | SourceEnd | SourceSession;

/** Formats that can be imported. */
export type SourceFormat = 'quarterdeck' | 'crowd-mcp';

const Typed = z.object({ type: z.string() });
const CrowdLike = z.object({ id: z.string(), from: z.string(), to: z.string(), content: z.string(), timestamp: z.number() });

/** The format that a first line is of; undefined when it is none that is known. */
export function formatOf(line: unknown): SourceFormat | undefined {
  if (Typed.safeParse(line).success) return 'quarterdeck';
  return CrowdLike.safeParse(line).success ? 'crowd-mcp' : undefined;
}

function wrong(where: string, problem: string): AppError {
  return new AppError('BAD_REQUEST', `${where} ${problem}. Nothing was imported.`, { data: { field: 'path', line: where } });
}

/** Reads a line of a mirror or of an export; undefined for lines of types that this version does not know. */
export function parseMirrorLine(value: unknown, where: string): SourceRecord | undefined {
  const type = Typed.safeParse(value).data?.type;
  if (type === undefined) throw wrong(where, 'is no line of a mirror: it has no "type"');
  if (type === 'session') {
    const line = SessionLine.safeParse(value);
    if (line.success) return { kind: 'session', ...line.data.session };
    throw wrong(
      where,
      `is not the first line of a file of format "${MIRROR_FORMAT}", version 1: a newer Quarterdeck may read it`,
    );
  }
  if (type === 'end') {
    const line = EndLine.safeParse(value);
    if (!line.success) throw wrong(where, `is no end of a delivery: ${describeInvalid(EndLine, line.error, value).message}`);
    const { messageId, type: _type, ...end } = line.data;
    return { kind: 'end', messageId, end: sound(end) };
  }
  if (type !== 'message') return undefined;
  const line = MessageLine.safeParse(value);
  if (!line.success) throw wrong(where, `is no message: ${describeInvalid(MessageLine, line.error, value).message}`);
  const { message, ttlMs, ends = [] } = line.data;
  return {
    kind: 'message',
    message: { ...message, recipients: [...new Set(message.recipients)] },
    ttlMs,
    ends: ends.map(sound),
  };
}

/** An end with the time and the reason that its state needs. */
function sound(end: DeliveryEnd): DeliveryEnd {
  if (end.state === 'open') return { ...end, at: null, reason: null };
  const at = end.at ?? end.deliveredAt ?? 0;
  return end.state === 'read'
    ? { ...end, at, deliveredAt: end.deliveredAt ?? at, reason: null }
    : { ...end, at, reason: end.reason ?? 'unknown' };
}
