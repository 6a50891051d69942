/** The log of connections as far as it was asked for. Pure. */
import type { EgressConnection } from '#shared/egress/model.ts';

/** Rows, newest first, each once. */
export interface LogRows {
  readonly rows: readonly EgressConnection[];
  /** Whether there are older ones. */
  readonly hasMore: boolean;
}

/** Nothing was asked for yet. */
export const NO_ROWS: LogRows = { rows: [], hasMore: false };

interface LogPage {
  readonly connections: readonly EgressConnection[];
  readonly hasMore: boolean;
}

function joined(known: readonly EgressConnection[], more: readonly EgressConnection[]): readonly EgressConnection[] {
  const byId = new Map([...known, ...more].map((row) => [row.id, row]));
  return [...byId.values()].toSorted((a, b) => b.id - a.id);
}

/** Adds the newest page. Where it does not reach what was known, there is a gap: what was known is let go. */
export function withNewest(log: LogRows, page: LogPage): LogRows {
  const oldest = page.connections.at(-1)?.id ?? 0;
  const reaches = log.rows.length > 0 && (!page.hasMore || log.rows.some(({ id }) => id >= oldest));
  if (!reaches) return { rows: page.connections, hasMore: page.hasMore };
  const isAll = !log.rows.some(({ id }) => id < oldest);
  return { rows: joined(log.rows, page.connections), hasMore: isAll ? page.hasMore : log.hasMore };
}

/** Adds the page after the oldest known row. */
export function withOlder(log: LogRows, page: LogPage): LogRows {
  return { rows: joined(page.connections, log.rows), hasMore: page.hasMore };
}
