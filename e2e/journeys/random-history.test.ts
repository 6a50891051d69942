/** Over random histories of a whole core: snapshot(n) + events(n..m) = snapshot(m), and the journal verifies. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { JournalEvent } from '#shared/journal/model.ts';
import type { CrewState } from '#shared/state.ts';
import { applyEvent, CrewState as CrewStateSchema } from '#shared/state.ts';
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

/** One thing that an operator does; refusals are part of the history. */
type Step = (folder: string) => Promise<unknown>;

const agentName = fc.constantFrom('a', 'b', 'c', 'd');
const step: fc.Arbitrary<{ name: string; run: Step }> = fc.oneof(
  fc.constantFrom('one', 'two').map((name) => ({
    name: `open ${name}`,
    run: (folder: string) => {
      mkdirSync(join(folder, name), { recursive: true });
      return rest.call('POST', '/projects', { folder: join(folder, name) });
    },
  })),
  fc.tuple(agentName, fc.constantFrom(['true'], ['sh', '-c', 'exit 3'], ['sleep', '1000'])).map(([id, command]) => ({
    name: `spawn ${id}: ${command.join(' ')}`,
    run: (folder: string) => rest.call('POST', '/agents', { id, type: 'command', command, projectFolder: folder }),
  })),
  fc
    .tuple(agentName, fc.constantFrom('start', 'restart', 'pause', 'resume'))
    .map(([id, verb]) => ({ name: `${verb} ${id}`, run: () => rest.call('POST', `/agents/${id}/${verb}`, {}) })),
  agentName.map((id) => ({ name: `stop ${id}`, run: () => rest.call('POST', `/agents/${id}/stop`, { force: true }) })),
  fc.tuple(agentName, fc.string({ maxLength: 10 })).map(([id, text]) => ({
    name: `configure ${id}`,
    run: () =>
      rest.call('PATCH', `/agents/${id}`, { changes: { description: text, environment: { TEXT: text.replaceAll('\0', '') } } }),
  })),
  fc.constantFrom({ theme: 'dark' }, { terminalFontSize: 15 }, { notifications: { mutedAgents: ['a'] } }, {}).map((changes) => ({
    name: `settings ${JSON.stringify(changes)}`,
    run: () => rest.call('PATCH', '/settings', changes),
  })),
  fc.tuple(agentName, fc.constantFrom('note', 'task')).map(([id, kind]) => ({
    name: `${kind} to ${id}`,
    run: () => rest.call('POST', '/messages', { to: id, kind, body: 'hello' }),
  })),
);

async function snapshot(): Promise<CrewState> {
  return CrewStateSchema.parse(await rest.ok('GET', '/state'));
}

const Page = z.object({ rows: z.array(z.looseObject({ seq: z.number() })), hasMore: z.boolean() });

async function eventsBetween(from: number, to: number): Promise<JournalEvent[]> {
  const events: JournalEvent[] = [];
  for (let after = from; after < to;) {
    const { rows } = Page.parse(await rest.ok('GET', `/journal?after=${after}&limit=500`));
    for (const row of rows) if (row.seq <= to) events.push(JournalEvent.parse(row));
    after = rows.at(-1)?.seq ?? to;
  }
  return events;
}

it('snapshot(n) + events(n..m) = snapshot(m)', { timeout: effort.roundsTimeoutMs }, async () => {
  let history = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(step, fc.boolean()), { minLength: 3, maxLength: effort.propertyCommands }),
      withinTime(async (steps) => {
        history += 1;
        const folder = join(core.dataDir, 'histories', String(history));
        mkdirSync(folder, { recursive: true });
        const snapshots = [await snapshot()];
        for (const [{ run }, isSnapshotAfter] of steps) {
          await run(folder);
          if (isSnapshotAfter) snapshots.push(await snapshot());
        }
        const last = await snapshot();
        for (const before of snapshots) {
          const folded = (await eventsBetween(before.seq, last.seq)).reduce(applyEvent, before);
          expect(folded).toEqual(last);
        }
      }, effort.roundsBudgetMs),
    ),
    // Processes are started for real: a tenth of the usual runs, each a history of its own, on top of the ones before it.
    {
      numRuns: Math.max(3, Math.round(effort.propertyRuns / 10)),
    },
  );
  expect(await rest.ok('POST', '/journal:verify', {})).toMatchObject({ isIntact: true, faults: [] });
});
