import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { ModuleRunner } from './module-runner.ts';

const runners: ModuleRunner[] = [];

afterEach(() => {
  for (const runner of runners.splice(0)) runner.dispose();
});

/** Room enough for a machine that does much else: only what never answers runs into it. */
const PATIENT = 5_000;

function run(code: string, timeoutMs = PATIENT): ModuleRunner {
  const runner = new ModuleRunner({ code, timeoutMs });
  runners.push(runner);
  return runner;
}

it('gives a draft to the module and brings back what it returns', async () => {
  const runner = run('let n = 0; export default async (draft, context) => ({ ...draft, n: ++n, who: context.from });');
  expect(await runner.call({ body: 'a' }, { from: 'ada' })).toEqual({ ok: true, value: { body: 'a', n: 1, who: 'ada' } });
  // The same thread goes on.
  expect(await runner.call({ body: 'b' }, { from: 'ben' })).toEqual({ ok: true, value: { body: 'b', n: 2, who: 'ben' } });
}, 60_000);

it('ends a module that never ends, and goes on with a new thread', async () => {
  const runner = run('export default (draft) => { if (draft === "hang") for (;;); return draft; };', 500);
  // The others wait for their turn, and each has it.
  const [first, second] = await Promise.all([runner.call('hang', {}), runner.call('hang', {})]);
  expect(first).toEqual({ ok: false, problem: 'it gave no answer within 500 ms' });
  expect(second).toEqual({ ok: false, problem: 'it gave no answer within 500 ms' });
  expect(runner.isRunning).toBe(false);
  const patient = run('export default (draft) => draft;');
  expect(await patient.call('fine', {})).toEqual({ ok: true, value: 'fine' });
}, 120_000);

it('ends one that promises and does not keep it', async () => {
  const runner = run('export default () => new Promise(() => undefined);', 100);
  expect(await runner.call({}, {})).toEqual({ ok: false, problem: 'it gave no answer within 100 ms' });
}, 60_000);

it('ends one whose loading never ends', async () => {
  const runner = run('for (;;); export default (draft) => draft;');
  expect(await runner.call({}, {})).toEqual({ ok: false, problem: 'it was not loaded within 5000 ms' });
}, 120_000);

it('ends one that allocates without end', async () => {
  const runner = run(
    'const kept = []; export default () => { for (;;) kept.push(new Array(10_000).fill(kept.length)); };',
    2_000,
  );
  // By its heap, or by its deadline where the machine is too slow for that.
  expect(await runner.call({}, {})).toMatchObject({ ok: false });
  expect(runner.isRunning).toBe(false);
}, 120_000);

it.each([
  ['throws', 'export default () => { throw new Error("not today"); };', 'it threw: not today'],
  ['throws what has no text', 'export default () => { throw Object.create(null); };', /^it threw: /],
  ['returns nothing', 'export default () => {};', 'it returned nothing: return the message to let it pass'],
  ['returns what is no JSON', 'export default () => ({ n: 1n });', /^it threw: /],
  ['returns a circle', 'export default () => { const a = {}; a.a = a; return a; };', /^it threw: /],
  ['returns too much', 'export default () => "x".repeat(2_000_000);', 'its answer is longer than 1048576 characters'],
  ['has no function', 'export default 7;', 'it has no function as its default export'],
  ['is no module', 'export default (', /^it cannot be loaded: /],
  ['ends its process', 'export default () => { process.exit(3); };', 'it ended by itself'],
  ['ends its process at once', 'process.exit(0); export default (draft) => draft;', 'it ended by itself'],
  [
    'fails later',
    'export default () => new Promise(() => { setTimeout(() => { throw new Error("late"); }, 1); });',
    'it ended: late',
  ],
  ['imports', 'import net from "node:net"; export default () => typeof net;', /^it cannot be loaded: a module imports nothing/],
  ['imports later', 'export default async () => { await import("node:fs"); };', /^it threw: a module imports nothing/],
  ['asks for built-in modules', 'export default () => process.getBuiltinModule("net");', /^it threw: /],
  ['fetches', 'export default () => fetch("http://127.0.0.1:1");', /^it threw: fetch is not defined/],
])(
  'fails clearly where a module %s',
  async (_, code, problem) => {
    const answer = await run(code).call({}, {});
    if (answer.ok) throw new Error(`it answered ${JSON.stringify(answer.value)}`);
    expect(answer.problem).toMatch(problem);
  },
  60_000,
);

it('lets no connection out by what a module is offered', async () => {
  let visits = 0;
  const server = createServer((_, response) => {
    visits += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const code = `export default async () => {
    const tried = [];
    for (const attempt of [
      () => fetch('${url}'),
      () => new WebSocket('ws://127.0.0.1:${port}/'),
      () => new EventSource('${url}'),
      () => import('${url}'),
      () => import('node:http'),
      () => process.getBuiltinModule('node:net').connect(${port}),
      () => require('node:net'),
    ]) { try { await attempt(); tried.push('let through'); } catch { tried.push('refused'); } }
    return tried;
  };`;
  expect(await run(code).call({}, {})).toEqual({ ok: true, value: Array.from({ length: 7 }, () => 'refused') });
  expect(visits).toBe(0);
  await new Promise((resolve) => server.close(resolve));
}, 60_000);

it('gives no environment, and nothing it prints reaches the core', async () => {
  process.env['QD_TEST_MODULE'] = 'visible here';
  const runner = run(
    'export default () => { console.log("printed"); return { env: Object.keys(process.env), keys: Object.keys(process) }; };',
  );
  expect(await runner.call({}, {})).toEqual({ ok: true, value: { env: [], keys: ['env', 'exit'] } });
  delete process.env['QD_TEST_MODULE'];
}, 60_000);

it('refuses at once what would wait too long, and everything once it is over', async () => {
  const runner = run('export default () => new Promise(() => undefined);', 5_000);
  const calls = Array.from({ length: 51 }, () => runner.call({}, {}));
  expect(await calls.at(-1)).toEqual({ ok: false, problem: '50 messages wait for it already' });
  runner.dispose();
  for (const call of calls.slice(0, 50)) expect(await call).toEqual({ ok: false, problem: 'it was ended' });
}, 60_000);
