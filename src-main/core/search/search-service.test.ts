import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { SearchPage } from '#shared/search/model.ts';
import { wordsOf } from '#shared/search/words.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { mintId } from '#shared/kernel/ids.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { agentCaller, openMessages, OPERATOR_CALLER, tokenCaller } from '#core/messages/testing/open-messages.ts';
import { openDatabase } from '#core/store/database.ts';
import type { TestSearch } from './testing/open-search.ts';
import { openSearch, sessionOf, store } from './testing/open-search.ts';

const CHILD = fileURLToPath(new URL('./testing/index-child.ts', import.meta.url));
/** How long a child may take on a busy machine, in ms. */
const CHILD_DEADLINE_MS = 60_000;
const LONG = 60_000;

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (let close = opened.pop(); close; close = opened.pop()) await close();
});

async function open(): Promise<{ t: TestMessages; s: TestSearch }> {
  const t = await openMessages();
  opened.push(() => t.dispose());
  return { t, s: search(t) };
}

function search(t: TestMessages, options: { now?: () => number } = {}): TestSearch {
  const s = openSearch(t, options);
  opened.push(() => s.service.dispose());
  return s;
}

const idsOf = (page: SearchPage): string[] => page.results.map(({ messageId }) => messageId);

async function send(t: TestMessages, body: string, more: object = {}): Promise<string> {
  const input = { to: 'operator' as const, body, kind: 'note' as const, priority: 'normal' as const, ...more };
  return (await t.service.send(input, OPERATOR_CALLER)).messageId;
}

it('finds what was sent a moment ago by each of its words, and says where they stand', async () => {
  const { t, s } = await open();
  const id = await send(t, 'The deploy of Über-Straße failed: fooBarBaz in src/core/app_main.ts', { subject: 'Deploy report' });
  for (const query of [
    'deploy',
    'DEPLOY failed',
    'uber',
    'über',
    'bar',
    'foobarbaz',
    'core',
    'app_main.ts',
    'app main',
    '"of uber"',
    'dep*',
    '"deploy of üb"*',
    'report',
  ])
    expect(idsOf(await s.find(query)), query).toEqual([id]);
  for (const query of ['deployed', '"failed deploy"', 'deploy -report', 'ar', 'main.app'])
    expect(idsOf(await s.find(query)), query).toEqual([]);
  const [result] = (await s.find('bar deploy')).results;
  expect(result?.snippet.matches.map(({ start, end }) => result.snippet.text.slice(start, end))).toEqual(['deploy', 'fooBarBaz']);
  expect(result?.subjectMatches).toEqual([{ start: 0, end: 6 }]);
});

it('finds scripts without spaces by what stands inside', async () => {
  const { t, s } = await open();
  const id = await send(t, '今日は天気がいいですね。 部署失败了');
  for (const query of ['天気', '失败', '部署失败', 'いい']) expect(idsOf(await s.find(query)), query).toEqual([id]);
  expect(idsOf(await s.find('气天'))).toEqual([]);
  expect((await s.find('天気')).results[0]?.snippet.matches).toEqual([{ start: 3, end: 5 }]);
});

it('filters by what a message is, together and the other way round', async () => {
  const { t, s } = await open();
  const api = t.addAgent('api');
  t.addAgent('web');
  const task = (await t.service.send({ to: 'web' as never, body: 'build it', kind: 'task', priority: 'high' }, api)).messageId;
  const note = (await t.service.send({ to: 'operator', body: 'build it', kind: 'note', priority: 'low' }, api)).messageId;
  const yours = await send(t, 'build it', { to: '*' });
  const found = async (query: string): Promise<string[]> => idsOf(await s.find(query));
  expect(await found('build')).toEqual([yours, note, task]);
  expect(await found('from:api')).toEqual([note, task]);
  expect(await found('-from:api')).toEqual([yours]);
  expect(await found('build to:web')).toEqual([yours, task]);
  expect(await found('to:*')).toEqual([yours]);
  expect(await found('kind:task from:api')).toEqual([task]);
  expect(await found('build -kind:task priority:LOW')).toEqual([note]);
  expect(await found('session:current kind:note')).toEqual([yours, note]);
  expect(await found('session:other')).toEqual([]);
  expect(await found('after:1h')).toHaveLength(3);
  expect(await found('before:1h')).toEqual([]);
  expect(await found('from:"api" OR')).toEqual([]);
  expect(idsOf(await s.find('build', { projectId: await t.addProject() }))).toEqual([]);
});

it('is narrowed down by the filters of the history, and asks an agent for its own copies only', async () => {
  const { t, s } = await open();
  const [api, web] = [t.addAgent('api'), t.addAgent('web')];
  const sent = async (from: typeof api, more: object): Promise<string> =>
    (await t.service.send({ to: 'operator', body: 'build it', kind: 'note', priority: 'normal', ...more }, from)).messageId;
  const task = await sent(api, { to: 'web', kind: 'task', priority: 'high' });
  const reply = await sent(web, { to: 'api', kind: 'reply', inReplyTo: task });
  const note = await sent(api, {});
  const other = await sent(OPERATOR_CALLER, { to: 'web', body: 'nothing of the kind' });
  await t.service.markRead({ messageIds: [task as never] }, web);
  const found = async (filter: object): Promise<string[]> => idsOf(await s.find('build', filter));
  expect(await found({ participant: 'web' })).toEqual([reply, task]);
  expect(await found({ participant: 'operator' })).toEqual([note]);
  expect(await found({ forOperator: true })).toEqual([note]);
  expect(await found({ kind: 'task' })).toEqual([task]);
  expect(await found({ priority: 'high', participant: 'api' })).toEqual([task]);
  expect(await found({ priority: 'low' })).toEqual([]);
  expect(await found({ threadId: task })).toEqual([reply, task]);
  expect(await found({ state: 'read' })).toEqual([task]);
  expect(await found({ state: 'unsettled', participant: 'api' })).toEqual([note, reply]);
  expect(await found({ topic: 'health.api' })).toEqual([]);
  expect(await found({ sessionId: sessionOf(t) })).toEqual([note, reply, task]);
  expect(await found({ sessionId: mintId('ses') })).toEqual([]);
  expect(idsOf(await s.find('-build', { participant: 'web' }))).toEqual([other]);
  const own = async (caller: typeof api): Promise<string[]> =>
    idsOf(await s.service.search({ query: 'build', rank: 'newest', limit: 20, state: 'unsettled' }, caller));
  expect(await own(api)).toEqual([reply]);
  expect(await own(web)).toEqual([]);
});

it('lets times decide where the clock was set back', async () => {
  const { t, s } = await open();
  const hour = 3_600_000;
  const at = Date.now();
  const [old, late, back, now] = await store(
    t,
    [at - 30 * hour, at - 10 * hour, at - 11 * hour, at].map((sentAt) => ({ body: 'tick', sentAt })),
  );
  expect(idsOf(await s.find('tick after:20h before:5h'))).toEqual([back, late]);
  expect(idsOf(await s.find(`tick after:${new Date(at - 10.5 * hour).toISOString()}`))).toEqual([now, late]);
  expect(idsOf(await s.find('tick before:1d'))).toEqual([old]);
});

it('lets agents search what they sent and were sent, and nothing else', async () => {
  const { t, s } = await open();
  const [a, b] = [t.addAgent('a'), t.addAgent('b')];
  const own = (await t.service.send({ to: 'operator', body: 'secret one', kind: 'note', priority: 'normal' }, a)).messageId;
  const got = (await t.service.send({ to: 'a' as never, body: 'secret two', kind: 'note', priority: 'normal' }, b)).messageId;
  // A token of an agent's name is not that agent.
  await t.service.send({ to: 'operator', body: 'secret three', kind: 'note', priority: 'normal' }, tokenCaller('a'));
  const as = async (caller: typeof a, query: string): Promise<string[]> =>
    idsOf(await s.service.search({ query, rank: 'newest', limit: 20 }, caller));
  expect((await as(a, 'secret')).toSorted()).toEqual([own, got].toSorted());
  expect(await as(b, 'secret')).toEqual([got]);
  expect(await as(b, 'from:a')).toEqual([]);
  expect(await as(agentCaller('c'), 'secret')).toEqual([]);
  expect(await as(b, '-nothing')).toEqual([got]);
});

it('pages through everything, newest first, and by relevance, without gaps or repetitions', async () => {
  const { t, s } = await open();
  const ids = await store(
    t,
    Array.from({ length: 250 }, (_, n) => ({ body: `common ${n % 10 === 0 ? 'common common' : 'filler words'} ${n}` })),
  );
  for (const rank of ['newest', 'relevance'] as const) {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page: SearchPage = await s.find('common', { limit: 40, rank, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...idsOf(page));
      cursor = page.next ?? undefined;
      // What comes meanwhile moves nothing.
      await send(t, 'common late');
    } while (cursor !== undefined);
    const stored = seen.filter((id) => ids.includes(id));
    expect(new Set(stored).size).toBe(250);
    expect(stored).toHaveLength(250);
    expect(rank === 'newest' ? stored : stored.toSorted().toReversed()).toEqual(ids.toReversed());
  }
  const best = await s.find('common', { rank: 'relevance', limit: 10 });
  expect(best.results.every(({ snippet }) => snippet.matches.length === 3)).toBe(true);
  expect(best.isBounded).toBe(false);
});

it('indexes tens of thousands, compares the newest of a common word, and says so', { timeout: LONG }, async () => {
  const { t, s } = await open();
  const count = 20_000;
  await store(
    t,
    Array.from({ length: count }, (_, n) => ({ body: `word number ${n} ${n === 77 ? 'needle' : 'hay'}` })),
  );
  const first = await s.find('needle');
  expect(first.total).toBe(count);
  const page = await s.findAll('needle');
  expect(page).toMatchObject({ indexed: count, total: count, isComplete: true, next: null, isBounded: false });
  expect(page.results).toHaveLength(1);
  expect((await s.find('word', { rank: 'relevance' })).isBounded).toBe(true);
  expect((await s.find('word number -hay')).results).toHaveLength(1);
  expect(s.said).toEqual([]);
});

it('finds no more what was erased, and forgets its words', async () => {
  const { t, s } = await open();
  const ids = await store(
    t,
    Array.from({ length: 30 }, (_, n) => ({ body: `gone ${n}` })),
  );
  expect((await s.findAll('gone', { limit: 100 })).results).toHaveLength(30);
  await t.test.store.write((tx) => tx.prepare('DELETE FROM messages WHERE seq <= 10').run());
  expect(idsOf(await s.find('gone', { limit: 100 }))).toEqual(ids.slice(10).toReversed());
  s.service.onErased();
  await expect.poll(() => entriesOf(s), { timeout: 30_000 }).toBe(20);
  // Even the newest: their numbers are given again.
  await t.test.store.write((tx) => tx.prepare('DELETE FROM messages WHERE seq > 20').run());
  await s.findAll('gone');
  const [next] = await store(t, [{ body: 'quite new' }]);
  expect(idsOf(await s.findAll('new'))).toEqual([next]);
  expect((await s.findAll('gone', { limit: 100 })).results).toHaveLength(10);
});

function entriesOf(s: TestSearch): number {
  const index = openDatabase(s.file, { readOnly: true });
  try {
    return (index.prepare('SELECT count(*) AS n FROM entries_docsize').get() as { n: number }).n;
  } finally {
    index.close();
  }
}

it('goes on where it was after a kill in the middle of indexing', { timeout: 2 * LONG }, async () => {
  const { t } = await open();
  await store(
    t,
    Array.from({ length: 3_000 }, (_, n) => ({ body: `killed word${n}` })),
  );
  for (let round = 1; round <= 3; round += 1) {
    const child = spawn(process.execPath, [CHILD, t.test.dir], { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const deadline = setTimeout(() => child.kill('SIGKILL'), CHILD_DEADLINE_MS);
    // In the middle of a step: it has just said that it finished one.
    child.stdout.on('data', (chunk: Buffer) => {
      if (
        chunk
          .toString()
          .trim()
          .split('\n')
          .some((line) => Number(line) >= round * 400)
      )
        child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(deadline);
    expect(errors).toBe('');
  }
  const s = search(t);
  const page = await s.findAll('killed', { limit: 1 });
  expect(page.isComplete).toBe(true);
  for (const n of [0, 399, 400, 1_200, 1_201, 2_999]) expect((await s.find(`word${n}`)).results, String(n)).toHaveLength(1);
  expect(entriesOf(s)).toBe(3_000);
  expect(s.said).toEqual([]);
});

it.each([
  ['nothing that SQLite knows', (file: string) => writeFileSync(file, 'this is no database at all')],
  ['an empty file', (file: string) => writeFileSync(file, '')],
  [
    'damaged pages',
    (file: string) => {
      const head = firstPage(file);
      writeFileSync(file, Buffer.concat([head, Buffer.alloc(statSync(file).size - head.length, 0x5a)]));
    },
  ],
])('makes the index again from %s', { timeout: LONG }, async (_what, damage) => {
  const { t, s: before } = await open();
  await store(
    t,
    Array.from({ length: 500 }, (_, n) => ({ body: `again ${n}` })),
  );
  await before.findAll('again');
  await before.service.dispose();
  damage(before.file);
  const s = search(t);
  expect((await s.findAll('again', { limit: 100 })).results).toHaveLength(100);
  expect((await s.findAll('499')).results).toHaveLength(1);
});

/** The first page of a database, with everything in its file. */
function firstPage(file: string): Buffer {
  const db = openDatabase(file);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return readFileSync(file).subarray(0, 4_096);
}

it('makes the index again where it belongs to another database', async () => {
  const one = await open();
  const two = await open();
  await store(one.t, [{ body: 'first database' }]);
  await store(two.t, [{ body: 'second database' }, { body: 'and more' }]);
  await one.s.findAll('first');
  await two.s.findAll('second');
  await one.s.service.dispose();
  await two.s.service.dispose();
  writeFileSync(two.s.file, readFileSync(one.s.file));
  const s = search(two.t);
  expect((await s.findAll('second')).results).toHaveLength(1);
  expect((await s.findAll('first')).results).toEqual([]);
  expect(s.said).toEqual(['the search index is made anew: it belonged to another database']);
});

it('says what is wrong with a query or a cursor', async () => {
  const { s } = await open();
  const complaint = async (query: string): Promise<unknown> =>
    s.find(query).then(
      () => 'none',
      (error: unknown) => (error instanceof AppError ? [error.code, error.message] : error),
    );
  expect(await complaint('"open')).toEqual(['BAD_REQUEST', 'A quotation mark is not closed: end the phrase with ".']);
  expect(await complaint('kind:nonsense')).toEqual([
    'BAD_REQUEST',
    'kind: is one of note, task, request, reply, event, not "nonsense".',
  ]);
  await expect(s.find('word', { cursor: 'x' })).rejects.toMatchObject({ code: 'BAD_REQUEST', data: { field: 'cursor' } });
  expect(await complaint('word')).toBe('none');
});

it('fails with UNAVAILABLE once it is closed, and leaves no thread', async () => {
  const { s } = await open();
  const searching = s.find('word');
  const ended = searching.catch((error: unknown) => (error instanceof AppError ? error.code : error));
  await s.service.dispose();
  expect(['UNAVAILABLE', undefined]).toContain(await ended.then((value) => (typeof value === 'string' ? value : undefined)));
  await expect(s.find('word')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

/** Texts as agents write them, and as nobody does. */
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        'deploy',
        'fooBar',
        'foo_bar',
        '"',
        '-',
        '*',
        ':',
        'from:',
        'NEAR(',
        'AND',
        'OR',
        '(',
        ')',
        '天気',
        'é',
        '\u0000',
        ' ',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

it('takes any query: an answer, or a sentence that says what is wrong', { timeout: LONG }, async () => {
  const { t, s } = await open();
  await store(t, [{ body: 'deploy fooBar foo_bar' }]);
  await fc.assert(
    fc.asyncProperty(
      anyText.filter((query) => query.length > 0),
      withinTime(async (query: string) => {
        const outcome = await s.find(query).then(
          (page) => Array.isArray(page.results),
          (error: unknown) => error instanceof AppError && error.code === 'BAD_REQUEST',
        );
        expect(outcome).toBe(true);
      }),
    ),
    { numRuns: effort.propertyRuns * 5 },
  );
});

it('finds what is there: every word of random texts, marked where it stands', { timeout: LONG }, async () => {
  const { t, s } = await open();
  await fc.assert(
    fc.asyncProperty(
      anyText,
      fc.nat(),
      withinTime(async (text: string, pick: number) => {
        const body = text.toWellFormed();
        const words = wordsOf(body);
        const word = words[pick % Math.max(1, words.length)];
        if (word === undefined) return;
        const [id] = await store(t, [{ body }]);
        const asked = body.slice(word.start, word.end);
        const page = await s.findAll(`"${asked}"`, { limit: 1 });
        expect(idsOf(page)).toEqual([id]);
        const { snippet } = page.results[0] ?? {};
        expect(snippet?.matches.length).toBeGreaterThan(0);
      }),
    ),
    { numRuns: effort.propertyRuns * 3 },
  );
});

it('leaves nothing but its own files', async () => {
  const { t, s } = await open();
  await s.find('word');
  expect(
    readdirSync(t.test.dir)
      .filter((name) => name.startsWith('search'))
      .toSorted(),
  ).toEqual(['search.db', 'search.db-shm', 'search.db-wal']);
});
