import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import type { oddReads } from './fixture-reader.ts';
import { Reader } from './reader.ts';

let test: TestStore;
let reader: Reader<typeof oddReads>;

beforeEach(() => {
  test = openTestStore();
  reader = new Reader(new URL('./fixture-reader.ts', import.meta.url), join(test.dir, 'quarterdeck.db'));
});
afterEach(async () => {
  await reader.close();
  await test.dispose();
});

const put = (...names: string[]): Promise<unknown> =>
  Promise.all(
    names.map((name) =>
      test.store.write((tx) => tx.prepare('INSERT INTO facts VALUES (?, ?, ?)').run(SYSTEM_PROJECT_ID, name, 'x')),
    ),
  );

describe('the reader', () => {
  it('sees everything that was committed before the call', async () => {
    for (let n = 0; n < 20; n += 1) {
      expect(await reader.run('count', {})).toBe(n);
      await put(`n${n}`);
    }
  });

  it('answers many calls at once, each its own, page by page', async () => {
    await put('a', 'b', 'c', 'd', 'e');
    expect(
      await Promise.all([
        reader.run('page', { after: '', limit: 2 }),
        reader.run('page', { after: 'b', limit: 2 }),
        reader.run('page', { after: 'd', limit: 2 }),
      ]),
    ).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('fails a query that throws, that writes, or whose result cannot be sent, and goes on', async () => {
    await put('a');
    await expect(reader.run('fails', {})).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(reader.run('writes', {})).rejects.toThrow(/readonly/);
    await expect(reader.run('unsendable', {})).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(reader.run('count', { f: () => 1 })).rejects.toThrow(/clone/);
    expect(await reader.run('count', {})).toBe(1);
  });

  it('that dies fails what was under way as UNAVAILABLE, and the next query starts it again', async () => {
    await put('a');
    const results = await Promise.allSettled([reader.run('count', {}), reader.run('dies', {}), reader.run('count', {})]);
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE', retryable: true } });
    expect(results[2]).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
    expect(await reader.run('count', {})).toBe(1);
    // Its answer may be lost with the thread; what counts is that the next one is there again.
    await Promise.allSettled([reader.run('throwsLater', {})]);
    await vi.waitFor(async () => expect(await reader.run('count', {})).toBe(1), { timeout: 10_000 });
  });

  it('does not block the writer while a query runs in the middle of a change', async () => {
    await put('a');
    const [count] = await Promise.all([reader.run('count', {}), put('b'), put('c')]);
    expect([1, 2, 3]).toContain(count);
    expect(await reader.run('count', {})).toBe(3);
  });

  it('refuses after its end, and what was under way is told', async () => {
    const [open] = await Promise.allSettled([reader.run('count', {}), reader.close()]);
    expect(open).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
    await expect(reader.run('count', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await reader.close();
  });

  it('with a module that cannot be started fails each query and hangs none', async () => {
    const broken = new Reader<typeof oddReads>(new URL('./no-such-module.ts', import.meta.url), join(test.dir, 'quarterdeck.db'));
    await expect(broken.run('count', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(broken.run('count', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await broken.close();
  });
});
