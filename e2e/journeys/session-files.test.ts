/** Messages in files over a real core: the mirror after `kill -9`, a second core that reads it, an export, and retention, from the command line. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { ImportReport, SessionSummary } from '#shared/sessions/model.ts';
import { runInProcess } from '#hosts/cli/testing/run-in-process.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';

/** Every wait for something that has to come, in ms. */
const LONG = { timeout: 60_000, interval: 50 };
const Sessions = z.object({ sessions: z.array(SessionSummary) });

let core: TestCore;
let second: TestCore | undefined;
let ada: SpokenAgent | undefined;
let folder: string;

beforeAll(async () => {
  core = await startCore({ keepsAgents: true });
  folder = join(core.dataDir, 'project');
  mkdirSync(folder);
  ada = await SpokenAgent.spawn(core, folder, 'ada');
}, 120_000);

afterAll(async () => {
  ada?.close();
  await second?.stop();
  if (second) removeDataDir(second.dataDir);
  await core.stop();
  removeDataDir(core.dataDir);
}, 120_000);

async function cli(of: TestCore, ...argv: string[]): Promise<string> {
  const done = await runInProcess([...argv, '--json'], { dataDir: of.dataDir, cwd: of.dataDir });
  expect([done.code, done.stderr]).toEqual([0, '']);
  return done.stdout;
}

/** The bodies in all files of the only mirror in a folder. */
function mirrored(sessionsDir: string): string[] {
  const [session] = readdirSync(sessionsDir);
  const text = session === undefined ? '' : readFileSync(join(sessionsDir, session, 'messages.jsonl'), 'utf8');
  return [...text.matchAll(/"body":"([^"]*)"/g)].map(([, body = '']) => body);
}

it(
  'mirrors, survives a kill, is read by another core, exported, and kept as long as was said',
  { timeout: 180_000 },
  async () => {
    const bodies: string[] = [];
    const send = async (count: number): Promise<void> => {
      const rest = new RestClient(core);
      for (let i = 0; i < count; i += 1) {
        const body = `message ${bodies.length}`;
        await rest.ok('POST', '/messages', { to: 'ada', body, kind: 'note' });
        bodies.push(body);
      }
    };
    await send(20);
    const { dataDir } = core;
    await core.kill();
    core = await startCore({ dataDir, keepsAgents: true });
    await send(5);
    const sessionsDir = join(dataDir, 'sessions');
    await expect.poll(() => mirrored(sessionsDir), LONG).toEqual(bodies);

    const { sessions } = Sessions.parse(JSON.parse(await cli(core, 'sessions')));
    expect(sessions).toMatchObject([{ isCurrent: true, messages: 25, origin: 'core' }]);
    const [mirror] = sessions[0]?.mirrors ?? [];
    expect(mirror?.bytes).toBe(statSync(join(mirror?.folder ?? '', 'messages.jsonl')).size);

    // Another core, which never heard of any of it.
    second = await startCore();
    const other = join(second.dataDir, 'other');
    mkdirSync(other);
    await cli(second, 'projects', 'open', other);
    const report = ImportReport.parse(
      JSON.parse(await cli(second, 'messages', 'import', mirror?.folder ?? '', '--project', other)),
    );
    expect(report).toMatchObject({ added: 25, present: 0, format: 'quarterdeck' });
    const [id = ''] = report.sessionIds;
    expect(JSON.parse(await cli(second, 'sessions', 'show', id))).toMatchObject({
      origin: 'import',
      messages: 25,
      isCurrent: false,
    });
    // Not signed here, and no fault either.
    expect(JSON.parse(await cli(second, 'journal', 'verify'))).toMatchObject({ isIntact: true });

    const csv = join(second.dataDir, 'mail.csv');
    expect(JSON.parse(await cli(second, 'messages', 'export', csv, '--session', id))).toMatchObject({
      messages: 25,
      format: 'csv',
    });
    expect(statSync(csv).mode & 0o777).toBe(0o600);
    expect(readFileSync(csv, 'utf8').split('\r\n')).toHaveLength(27);
    const download = await fetch(`${second.run.apiUrl}/v1/messages:export?sessionId=${id}&format=csv`, {
      headers: { authorization: `Bearer ${second.token}` },
    });
    expect(await download.text()).toBe(readFileSync(csv, 'utf8'));

    // The second core mirrors what it read as well: until then nothing of it is removed.
    await expect.poll(() => mirrored(join(second?.dataDir ?? '', 'sessions')), LONG).toEqual(bodies);
    const kept = await cli(second, 'retention', '--project', other, '--messages', '10', '--save', '--apply');
    expect(JSON.parse(kept)).toMatchObject({ isApplied: true, report: { messages: 15 } });
    expect(JSON.parse(await cli(second, 'sessions', 'show', id))).toMatchObject({ messages: 10 });
    expect(JSON.parse(await cli(second, 'journal', 'verify'))).toMatchObject({ isIntact: true });
  },
);
