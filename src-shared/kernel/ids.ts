/**
 * Ids: a prefix and a UUIDv7 (RFC 9562 section 5.7), so that they sort by the time they were made.
 * Ids made by one process are strictly increasing, within a millisecond and across a clock set back.
 */
import * as z from 'zod';

/** The kinds of id that the core mints, by prefix. */
export const ID_PREFIXES = ['prj', 'ses', 'msg', 'tok', 'run', 'att', 'enc', 'enr'] as const;
/** One of `ID_PREFIXES`. */
export type IdPrefix = (typeof ID_PREFIXES)[number];

/** The part of Web Crypto that is used; Node and browsers both have it as a global. */
declare const crypto: { getRandomValues(array: Uint8Array): Uint8Array };

let lastMs = 0;
let sequence = 0;

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

const RANDOM_BYTES = 10;
/** Random bytes are drawn for many ids at once: a call per id would cost more than the rest of it. */
const pool = new Uint8Array(RANDOM_BYTES * 128);
let poolAt = pool.length;

function randomBytes(): Uint8Array {
  if (poolAt >= pool.length) {
    crypto.getRandomValues(pool);
    poolAt = 0;
  }
  poolAt += RANDOM_BYTES;
  return pool.subarray(poolAt - RANDOM_BYTES, poolAt);
}

/** A new UUIDv7. `rand_a` is a 12-bit counter (method 1 of RFC 9562 6.2); when it overflows, the clock is advanced. */
export function uuidv7(nowMs: number = Date.now()): string {
  const random = randomBytes();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    // Start low, so that thousands fit into one millisecond.
    sequence = ((random[0] ?? 0) << 2) | ((random[1] ?? 0) & 0x3);
  } else {
    sequence += 1;
    if (sequence > 0xfff) {
      lastMs += 1;
      sequence = 0;
    }
  }
  const time = hex(lastMs, 12);
  const variant = hex(0x80 | ((random[2] ?? 0) & 0x3f), 2);
  let tail = '';
  for (let i = 3; i < 10; i += 1) tail += hex(random[i] ?? 0, 2);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(sequence, 3)}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`;
}

/** A new id with the given prefix. */
export function mintId<P extends IdPrefix>(prefix: P): `${P}_${string}` {
  return `${prefix}_${uuidv7()}`;
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

function idSchema<B extends string>(prefix: IdPrefix, brand: B) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_${UUID}$`), `must be an id of the form ${prefix}_<uuid>`)
    .describe(`An id of the form ${prefix}_<uuid>`)
    .brand(brand);
}

/** A project's id. */
export const ProjectId = idSchema('prj', 'ProjectId');
/** A project's id. */
export type ProjectId = z.infer<typeof ProjectId>;
/** A session's id. */
export const SessionId = idSchema('ses', 'SessionId');
/** A session's id. */
export type SessionId = z.infer<typeof SessionId>;
/** A message's id. */
export const MessageId = idSchema('msg', 'MessageId');
/** A message's id. */
export type MessageId = z.infer<typeof MessageId>;
/** An attachment's id: a file kept in the data folder. */
export const AttachmentId = idSchema('att', 'AttachmentId');
/** An attachment's id. */
export type AttachmentId = z.infer<typeof AttachmentId>;
/** An access token's id (not the token). */
export const TokenId = idSchema('tok', 'TokenId');
/** An access token's id (not the token). */
export type TokenId = z.infer<typeof TokenId>;

/** The id of a code that lets an agent from outside in (not the code). */
export const EnrolmentCodeId = idSchema('enc', 'EnrolmentCodeId');
/** The id of a code that lets an agent from outside in. */
export type EnrolmentCodeId = z.infer<typeof EnrolmentCodeId>;
/** The id of a request of an agent from outside (not what it proves itself by). */
export const EnrolmentRequestId = idSchema('enr', 'EnrolmentRequestId');
/** The id of a request of an agent from outside. */
export type EnrolmentRequestId = z.infer<typeof EnrolmentRequestId>;

/** Addresses and senders that are not agents: an agent of that name would read their mail. "me" stands for the caller in REST. */
const RESERVED_AGENT_IDS: ReadonlySet<string> = new Set(['operator', 'system', 'core', 'me']);

/** An agent's id: a slug given by the caller or minted, unique per data folder and never reused. */
export const AgentId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'must be 1 to 63 of a-z, 0-9, dot, underscore and hyphen, starting with a letter or digit',
  )
  .refine((id) => !RESERVED_AGENT_IDS.has(id), 'is reserved: choose an id other than operator, system, core and me')
  .describe('Agent id, for example "api-tests"')
  .brand('AgentId');
/** An agent's id. */
export type AgentId = z.infer<typeof AgentId>;
