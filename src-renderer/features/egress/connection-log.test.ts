import { describe, expect, it } from 'vitest';
import type { EgressConnection } from '#shared/egress/model.ts';
import { EgressConnection as ConnectionSchema } from '#shared/egress/model.ts';
import { mintId } from '#shared/kernel/ids.ts';
import { NO_ROWS, withNewest, withOlder } from './connection-log.ts';

const projectId = mintId('prj');

const row = (id: number, outcome: EgressConnection['outcome'] = 'closed'): EgressConnection =>
  ConnectionSchema.parse({
    id,
    projectId,
    agentId: 'ada',
    via: 'connect',
    host: 'example.org',
    port: 443,
    protocol: 'tls',
    address: null,
    outcome,
    reason: 'no rule allows it',
    at: id,
    durationMs: null,
    sentBytes: 0,
    receivedBytes: 0,
  });

const page = (ids: readonly number[], hasMore: boolean) => ({ connections: ids.map((id) => row(id)), hasMore });
const ids = ({ rows }: typeof NO_ROWS) => rows.map(({ id }) => id);

describe('the log of connections', () => {
  it('grows at both ends, and holds each row once', () => {
    const first = withNewest(NO_ROWS, page([9, 8, 7], true));
    const older = withOlder(first, page([6, 5], false));
    expect(ids(older)).toEqual([9, 8, 7, 6, 5]);
    const newer = withNewest(older, page([10, 9, 8], true));
    expect(ids(newer)).toEqual([10, 9, 8, 7, 6, 5]);
    expect(newer.hasMore).toBe(false);
  });

  it('takes the newest word about a row', () => {
    const open = withNewest(NO_ROWS, { connections: [row(3, 'open')], hasMore: false });
    expect(withNewest(open, { connections: [row(3, 'closed')], hasMore: false }).rows.map(({ outcome }) => outcome)).toEqual([
      'closed',
    ]);
  });

  it('lets go of what it knew when there is a gap', () => {
    const known = withOlder(withNewest(NO_ROWS, page([3, 2], true)), page([1], false));
    const after = withNewest(known, page([9, 8, 7], true));
    expect(ids(after)).toEqual([9, 8, 7]);
    expect(after.hasMore).toBe(true);
  });
});
