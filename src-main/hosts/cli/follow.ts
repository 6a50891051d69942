/** Follows the journal across lost connections and restarts of the core: every event once, in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ORPCError } from '@orpc/client';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import type { FollowItem, JournalEvent } from '#shared/journal/model.ts';
import { CliError } from './cli-error.ts';
import type { CoreConnection } from './core-connection.ts';

/** How long the core may be away before following is given up, in milliseconds. */
const AWAY_LIMIT_MS = 60_000;

/** How to follow. */
export interface FollowOptions {
  readonly connect: () => Promise<CoreConnection>;
  /** The number of the last event that is known. */
  readonly after: number;
  readonly signal?: AbortSignal;
  /** Told once when the core went away, and once when it is back. */
  readonly onAway?: () => void;
  readonly onBack?: () => void;
}

/** Whether an error is about the connection or a core that ends, not about what was asked. */
function isAway(error: unknown): boolean {
  if (error instanceof ORPCError) return error.code === 'UNAVAILABLE';
  if (error instanceof CliError)
    return error.code === 'NOT_RUNNING' || error.code === 'CONNECTION_LOST' || error.code === 'UNAVAILABLE';
  return true;
}

/** The items of the journal after a number, without end. NOT_RUNNING when the core stays away, CONFLICT when the number is no longer kept. */
export async function* followJournal(options: FollowOptions): AsyncGenerator<FollowItem> {
  let seq = options.after;
  let awaySince: number | undefined;
  const isOver = (): boolean => options.signal?.aborted === true;
  for (let attempt = 0; !isOver(); attempt += 1) {
    let connection: CoreConnection | undefined;
    try {
      connection = await options.connect();
      const stream = await connection.client.journal.follow({ after: seq }, { signal: options.signal });
      if (awaySince !== undefined) options.onBack?.();
      awaySince = undefined;
      attempt = 0;
      for await (const item of stream) {
        if (item.type === 'events') seq = item.events.at(-1)?.seq ?? seq;
        yield item;
      }
    } catch (error) {
      if (isOver()) return;
      // A connection that ends fails its streams with errors of its own; those are not about what was asked.
      if (!isAway(error) && connection?.isGone !== true) throw error;
      if (awaySince !== undefined && Date.now() - awaySince > AWAY_LIMIT_MS) throw error;
    } finally {
      connection?.close();
    }
    if (awaySince === undefined) options.onAway?.();
    awaySince ??= Date.now();
    await sleep(backoffMs(RECONNECT, attempt), undefined, { signal: options.signal }).catch(() => undefined);
  }
}

/** The events of the journal after a number, one by one. */
export async function* followEvents(options: FollowOptions): AsyncGenerator<JournalEvent> {
  for await (const item of followJournal(options)) {
    if (item.type === 'events') yield* item.events;
  }
}
