/** Random input at every procedure of a real core: always an answer or a clear error, never an internal one, and nothing is lost. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { contract } from '#shared/contract.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { RestClient } from '#e2e/support/rest-client.ts';

let core: TestCore;
let rest: RestClient;

beforeAll(async () => {
  core = await startCore();
  rest = new RestClient(core);
}, 60_000);

afterAll(async () => {
  await core.stop();
  removeDataDir(core.dataDir);
}, 60_000);

/** Left out: a valid call ends the core, streams for ever, or starts three workers each time. Their bad input is covered by the router's own tests. */
const LEFT_OUT = new Set(['/system:shutdown', '/journal:follow', '/teams:sample']);

const Procedure = z.object({ '~orpc': z.object({ route: z.object({ method: z.string(), path: z.string() }) }) });
const routes = Object.values(contract)
  .flatMap((feature): unknown[] => Object.values(feature))
  .map((procedure) => Procedure.parse(procedure)['~orpc'].route)
  .filter((route) => !LEFT_OUT.has(route.path));

const ErrorBody = z.looseObject({ code: z.string(), message: z.string() });
/** Values that tend to hurt: wrong types, odd names, long and strange texts. */
const nasty = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('', '\0', '../../etc/passwd', '__proto__', '*', 'operator', -1, 1e308, 'a'.repeat(5_000), null, [], {}),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const fieldName = fc.constantFrom(
  'id',
  'to',
  'body',
  'kind',
  'data',
  'limit',
  'after',
  'before',
  'folder',
  'name',
  'role',
  'type',
  'command',
  'template',
  'changes',
  'messageIds',
  'timeoutMs',
  'text',
  'value',
  'team',
  'idempotencyKey',
  'projectId',
  'cols',
  'rows',
  'start',
  'graceMs',
  'constructor',
);
const body = fc.oneof(nasty, fc.dictionary(fieldName, nasty, { maxKeys: 6 }));

it('answers random input at every procedure with a clear error or a result', { timeout: effort.roundsTimeoutMs }, async () => {
  await rest.ok('POST', '/projects', { folder: core.dataDir });
  const { messageId } = z
    .object({ messageId: z.string() })
    .parse(await rest.ok('POST', '/messages', { to: 'operator', body: 'sent before the storm' }));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      body,
      fc.oneof(fc.webSegment(), fc.constant('operator')),
      withinTime(async (route, input, segment) => {
        const path = route.path.replaceAll(
          /\{\w+\}/g,
          encodeURIComponent(segment === '' || segment === '.' || segment === '..' ? 'x' : segment),
        );
        const method = route.method;
        const isQuery = method === 'GET';
        const query =
          isQuery && typeof input === 'object' && input !== null && !Array.isArray(input)
            ? `?${new URLSearchParams(Object.entries(input).map(([key, value]) => [key, String(value)])).toString()}`
            : '';
        // A wait without a bound would only cost time.
        const payload =
          path === '/inbox:wait' && typeof input === 'object' && input !== null && !Array.isArray(input)
            ? { ...input, timeoutMs: 0 }
            : input;
        const answer = await rest.call(method, `${path}${query}`, isQuery ? undefined : payload);
        expect(answer.status, `${method} ${path} ${JSON.stringify(input)} → ${JSON.stringify(answer.body)}`).toBeLessThan(500);
        const message = answer.status < 400 ? 'it was answered' : ErrorBody.parse(answer.body).message;
        expect(message.length).toBeGreaterThan(10);
        expect(message).not.toMatch(/SQLITE|at .+:\d+:\d+|undefined is not|Cannot read prop/);
      }, effort.roundsBudgetMs),
    ),
    { numRuns: effort.propertyRuns * 20 },
  );
  expect(await rest.ok('GET', `/messages/${messageId}`)).toMatchObject({ message: { body: 'sent before the storm' } });
  expect(await rest.ok('POST', '/journal:verify', {})).toMatchObject({ isIntact: true });
  expect(core.log()).not.toContain('"level":50');
});
