import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EgressConnection } from '#shared/egress/model.ts';
import { GatewayEvent } from '#shared/gateway/model.ts';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { ConnectionBook } from './connection-book.ts';
import { ConnectionLog } from './connection-log.ts';
import { ManualClock } from './testing/manual-clock.ts';

const facts = {
  projectId: ProjectId.parse('prj_01890000-0000-7000-8000-000000000001'),
  agentId: AgentId.parse('ada'),
  via: 'connect',
  host: 'example.org',
  port: 443,
  protocol: 'tls',
  address: null,
  reason: 'no rule allows it',
  at: 1,
} as const;

let dir = '';
let logs: ConnectionLog[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-log-'));
});

afterEach(async () => {
  for (const log of logs) await log.close().catch(() => undefined);
  logs = [];
  rmSync(dir, { recursive: true, force: true });
});

async function openLog(fileBytes = 1_000_000, files = 4): Promise<ConnectionLog> {
  const log = await ConnectionLog.open({ log: join(dir, 'c.jsonl'), fileBytes, files, onProblem: () => undefined }, 5000);
  logs.push(log);
  return log;
}

function entry(outcome: EgressConnection['outcome'] = 'refused', id?: number): (n: number) => EgressConnection {
  return (n) => ({ ...facts, id: id ?? n, outcome, durationMs: outcome === 'open' ? null : 1, sentBytes: 0, receivedBytes: 0 });
}

/** The entries after `after`, until there are `count`. */
async function take(log: ConnectionLog, after: number, count: number): Promise<GatewayEvent[]> {
  const found: GatewayEvent[] = [];
  const ended = new AbortController();
  if (count === 0) return found;
  for await (const text of log.read(after, ended.signal)) {
    for (const line of text.split('\n').filter((part) => part !== '')) found.push(GatewayEvent.parse(JSON.parse(line)));
    if (found.length >= count) break;
  }
  return found;
}

const numbers = (events: readonly GatewayEvent[]): number[] => events.map(({ n }) => n);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('the log', () => {
  it('is numbered from 1 without gaps, over files and over restarts', async () => {
    for (let round = 0; round < 3; round += 1) {
      const log = await openLog(2000, 1000);
      for (let i = 0; i < 20; i += 1) log.append(entry());
      await log.close();
    }
    const log = await openLog(2000, 1000);
    expect(log.lastEvent).toBe(60);
    expect(readdirSync(dir).length).toBeGreaterThan(2);
    expect(numbers(await take(log, 0, 60))).toEqual(range(1, 60));
    expect(numbers(await take(log, 41, 19))).toEqual(range(42, 60));
  });

  it('goes on where a last line was torn', async () => {
    const first = await openLog();
    for (let i = 0; i < 5; i += 1) first.append(entry());
    await first.close();
    const [name = ''] = readdirSync(dir);
    const path = join(dir, name);
    for (const cut of [1, 2, 17, 100]) {
      truncateSync(path, readFileSync(path).length - cut);
      const log = await openLog();
      expect(log.lastEvent).toBe(4);
      log.append(entry());
      await log.close();
    }
    appendFileSync(path, '\0\0\0\0{"n":6,"connec');
    const log = await openLog();
    expect(log.lastEvent).toBe(5);
    expect(numbers(await take(log, 0, 5))).toEqual(range(1, 5));
    expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true);
  });

  it('begins the next file at the right number when a new file has nothing whole in it', async () => {
    const first = await openLog(500, 10);
    for (let i = 0; i < 4; i += 1) {
      first.append(entry());
      await first.flush();
    }
    await first.close();
    const newest = join(dir, readdirSync(dir).sort().at(-1) ?? '');
    const whole = first.lastEvent - readFileSync(newest, 'utf8').split('\n').length + 1;
    truncateSync(newest, 10);
    const log = await openLog(500, 10);
    expect(log.lastEvent).toBe(whole);
    log.append(entry());
    expect(numbers(await take(log, 0, whole + 1))).toEqual(range(1, whole + 1));
  });

  it('keeps so many files, and readers go on with the oldest that is left', async () => {
    const log = await openLog(500, 3);
    for (let i = 0; i < 40; i += 1) {
      log.append(entry());
      await log.flush();
    }
    expect(readdirSync(dir).length).toBe(3);
    const kept = await take(log, 0, 5);
    expect(kept[0]?.n).toBeGreaterThan(30);
    expect(numbers(kept)).toEqual(range(kept[0]?.n ?? 0, kept.at(-1)?.n ?? 0));
  });

  it('is followed as it grows, over new files, by readers of any pace', async () => {
    const log = await openLog(700, 1000);
    const fast = take(log, 0, 50);
    const ended = new AbortController();
    const slow = log.read(0, ended.signal);
    log.append(entry());
    const { value: one } = await slow.next();
    expect(String(one)).toContain('"n":1,');
    for (let i = 0; i < 49; i += 1) {
      log.append(entry());
      if (i % 3 === 0) await log.flush();
    }
    expect(numbers(await fast)).toEqual(range(1, 50));
    let rest = '';
    while (!rest.includes('"n":50,')) rest += (await slow.next()).value ?? '';
    expect(rest.match(/"n":/g)?.length).toBe(49);
    const last = slow.next();
    ended.abort();
    expect((await last).done).toBe(true);
  });

  it('holds what the disk does not take, says when that is too much, and goes on without a gap', async () => {
    const problems: string[] = [];
    const log = await ConnectionLog.open(
      { log: join(dir, 'c.jsonl'), fileBytes: 100, files: 9, onProblem: (problem) => problems.push(problem) },
      5000,
    );
    logs.push(log);
    log.append(entry());
    await log.flush();
    // The next file cannot be begun.
    rmSync(dir, { recursive: true });
    for (let i = 0; i < 20_000; i += 1) log.append(entry());
    await log.flush();
    expect(problems).toEqual([expect.stringContaining('ENOENT')]);
    expect([log.lastEvent, log.isBlocked]).toEqual([1, true]);
    mkdirSync(dir);
    expect(numbers(await take(log, 1, 20_000)).slice(0, 20_000)).toEqual(range(2, 20_001));
    expect(log.isBlocked).toBe(false);
  });

  it('ends what a killed gateway left open', async () => {
    const first = await openLog();
    const opened = first.append(entry('open'));
    const other = first.append(entry('open'));
    first.append(entry('closed', other));
    await first.close();
    const log = await openLog();
    expect(log.lastEvent).toBe(4);
    const last = (await take(log, 3, 1))[0]?.connection;
    expect(last).toMatchObject({ id: opened, outcome: 'failed', durationMs: 4999 });
    await log.close();
    expect((await openLog()).lastEvent).toBe(4);
  });
});

describe('the book', () => {
  function openBook(log: ConnectionLog): { readonly book: ConnectionBook; readonly clock: ManualClock } {
    const clock = new ManualClock();
    return { clock, book: new ConnectionBook({ log, clock, sameMs: 60_000, different: 3 }) };
  }

  it('writes a connection when it opens and when it ends, with its bytes and duration', async () => {
    const log = await openLog();
    const { book, clock } = openBook(log);
    const end = book.open({ ...facts, at: clock.now(), reason: 'example.org:443:tls' });
    clock.advance(1500);
    end({ outcome: 'closed', sentBytes: 10, receivedBytes: 20 });
    end({ outcome: 'failed', sentBytes: 99, receivedBytes: 99 });
    book.flush();
    await log.flush();
    const events = await take(log, 0, 2);
    expect(events.map(({ n, count, connection }) => ({ n, count, id: connection.id, outcome: connection.outcome }))).toEqual([
      { n: 1, count: 1, id: 1, outcome: 'open' },
      { n: 2, count: 1, id: 1, outcome: 'closed' },
    ]);
    expect(events[1]?.connection).toMatchObject({
      durationMs: 1500,
      sentBytes: 10,
      receivedBytes: 20,
      reason: 'example.org:443:tls',
    });
    expect(log.lastEvent).toBe(2);
  });

  it('counts refusals that are the same in a minute, and loses none', async () => {
    const log = await openLog();
    const { book, clock } = openBook(log);
    for (let i = 0; i < 1000; i += 1) book.refuse('refused', facts);
    book.refuse('refused', { ...facts, host: 'other.example' });
    await log.flush();
    expect(log.lastEvent).toBe(2);
    clock.advance(60_000);
    book.refuse('refused', facts);
    await log.flush();
    expect(log.lastEvent).toBe(4);
    book.flush();
    await log.flush();
    const events = await take(log, 0, 4);
    expect(events.map(({ count }) => count)).toEqual([1, 1, 999, 1]);
  });

  it('tells only so many different refusals apart', async () => {
    const log = await openLog();
    const { book, clock } = openBook(log);
    for (let i = 0; i < 500; i += 1) book.refuse('refused', { ...facts, host: `h${i}.example` });
    clock.advance(60_000);
    await log.flush();
    const events = await take(log, 0, 5);
    expect(events.map(({ connection, count }) => [connection.host, count])).toEqual([
      ['h0.example', 1],
      ['h1.example', 1],
      ['h2.example', 1],
      ['*', 1],
      ['*', 496],
    ]);
  });

  it('records nothing that changes how a line is shown', async () => {
    const log = await openLog();
    const { book } = openBook(log);
    book.refuse('refused', { ...facts, host: `a\u202e\n${'x'.repeat(1000)}`, reason: '\u001b[31m' });
    await log.flush();
    const [event] = await take(log, 0, 1);
    expect(event?.connection.host).toMatch(/^a\?\?x{257}$/);
    expect(event?.connection.reason).toBe('?[31m');
  });
});
