/**
 * Sessions of crowd-mcp (github.com/mrsimpson/crowd-mcp, packages/server/src/core/message-router-jsonl.ts): a folder
 * `.crowd/sessions/<milliseconds>/` with `session.json` and `messages.jsonl`. A line is
 * `{id, from, to, content, timestamp, read, priority}`; the human is "developer"; a broadcast is a line for each recipient,
 * with ids `<uuid>-<number>`; the whole file is written anew when something is marked as read. Pure.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { describeInvalid } from '#shared/kernel/describe-issues.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { IdPrefix, ProjectId } from '#shared/kernel/ids.ts';
import { MessageId, SessionId } from '#shared/kernel/ids.ts';
import type { Json } from '#shared/kernel/json.ts';
import { Json as JsonSchema } from '#shared/kernel/json.ts';
import type { Sender } from '#shared/messages/model.ts';
import { BROADCAST, OPERATOR } from '#shared/messages/model.ts';
import type { DeliveryEnd } from '#shared/sessions/mirror-lines.ts';
import type { SourceMessage } from './import-format.ts';

const DEVELOPER = 'developer';
const CROWD_BROADCAST = 'broadcast';

/** `session.json`. `startTime` is that of the last start into this folder. */
export const CrowdSession = z.object({ sessionId: z.string().min(1).max(200), startTime: z.number().int().min(0) });

/** A line of `messages.jsonl`. */
const CrowdMessage = z.looseObject({
  id: z.string().min(1).max(200),
  from: z.string().min(1).max(200),
  to: z.string().min(1).max(200),
  content: z.string(),
  timestamp: z.number().int().min(0).max(8_640_000_000_000_000),
  read: z.boolean().default(false),
  priority: z.enum(['low', 'normal', 'high']).default('normal'),
});
/** A line of `messages.jsonl`. */
export type CrowdMessage = z.infer<typeof CrowdMessage>;

/** Reads a line. BAD_REQUEST names it. */
export function parseCrowdLine(value: unknown, where: string): CrowdMessage {
  const line = CrowdMessage.safeParse(value);
  if (line.success) return line.data;
  throw new AppError(
    'BAD_REQUEST',
    `${where} is no message of crowd-mcp: ${describeInvalid(CrowdMessage, line.error, value).message}. Nothing was imported.`,
    {
      data: { field: 'path', line: where },
    },
  );
}

const COPY = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+$/;

/** What the copies of one broadcast have in common; a message to one is alone under its id. */
export function groupOf(line: CrowdMessage): string {
  return COPY.exec(line.id)?.[1] ?? line.id;
}

/** An id that is the same for the same message of the same session, so that importing it twice adds nothing. */
export function derivedId<P extends IdPrefix>(prefix: P, time: number, ...names: readonly string[]): `${P}_${string}` {
  const digest = createHash('sha256')
    .update(JSON.stringify([prefix, ...names]))
    .digest('hex');
  const ms = Math.min(time, 0xffff_ffff_ffff).toString(16).padStart(12, '0');
  const variant = ((Number.parseInt(digest.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  return `${prefix}_${ms.slice(0, 8)}-${ms.slice(8)}-7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`;
}

/** The session of a folder of crowd-mcp. */
export function crowdSessionId(sessionId: string, startedAt: number): SessionId {
  return SessionId.parse(derivedId('ses', startedAt, 'crowd-mcp', sessionId));
}

/** Names that mean something here: an agent of crowd-mcp that is called so must not be taken for it. */
const TAKEN: ReadonlySet<string> = new Set([OPERATOR, BROADCAST, 'system', 'core', 'me']);

function nameOf(name: string): string {
  if (name === DEVELOPER) return OPERATOR;
  return TAKEN.has(name) ? `crowd-mcp:${name}` : name;
}

/** The message of one line, or of all copies of a broadcast. */
export function crowdMessage(
  group: string,
  copies: readonly [CrowdMessage, ...CrowdMessage[]],
  place: { readonly session: string; readonly sessionId: SessionId; readonly projectId: ProjectId },
): SourceMessage {
  const [first] = copies;
  const id = MessageId.parse(derivedId('msg', first.timestamp, 'crowd-mcp', place.session, group));
  const isBroadcast = COPY.test(first.id) || first.to === CROWD_BROADCAST;
  const recipients = [...new Set(copies.map(({ to }) => to).filter((to) => to !== CROWD_BROADCAST))].map(nameOf);
  const from: Sender = first.from === DEVELOPER ? { kind: 'operator', id: OPERATOR } : { kind: 'agent', id: nameOf(first.from) };
  return {
    kind: 'message',
    ttlMs: null,
    ends: copies.flatMap(({ to, read, timestamp }): DeliveryEnd[] => {
      // crowd-mcp does not say when something was read: not before it was sent.
      if (!read || to === CROWD_BROADCAST) return [];
      return [{ recipient: nameOf(to), state: 'read', at: timestamp, deliveredAt: timestamp, reason: null }];
    }),
    message: {
      id,
      projectId: place.projectId,
      sessionId: place.sessionId,
      from,
      to: isBroadcast ? [BROADCAST] : recipients,
      recipients,
      kind: 'note',
      priority: first.priority,
      subject: null,
      body: first.content,
      data: { crowdMcp: { sessionId: place.session, id: group, ...restOf(first) } },
      inReplyTo: null,
      threadId: id,
      // Its agents ran in containers of their own.
      originator: { ...from, boundary: from.kind === 'operator' ? 'host' : 'container' },
      topic: null,
      attachments: [],
      sentAt: first.timestamp,
      expiresAt: null,
      notBefore: null,
      replyBy: null,
    },
  };
}

const KNOWN: ReadonlySet<string> = new Set(['id', 'from', 'to', 'content', 'timestamp', 'read', 'priority']);

/** What a line says besides, such as files that it names: kept as it is. */
function restOf(line: CrowdMessage): Record<string, Json> {
  const rest = Object.entries(line).filter(([name]) => !KNOWN.has(name));
  return rest.length === 0 ? {} : { more: JsonSchema.parse(Object.fromEntries(rest)) };
}
