import { afterEach, expect, it } from 'vitest';
import { sampleAgent } from '../testing/sample-values.ts';
import { runInProcess } from '../testing/run-in-process.ts';
import type { ScriptedCore } from '../testing/scripted-core.ts';
import { script, startScriptedCore } from '../testing/scripted-core.ts';

const cores: ScriptedCore[] = [];
afterEach(async () => {
  for (const core of cores.splice(0)) await core.close();
});

const found = (session: string, socket: string) => ({
  socket,
  session,
  window: 0,
  pane: '%0',
  program: 'claude' as const,
  pid: 7,
  cwd: '/work',
  startedAt: 1,
  isAdopted: false,
});

/** A core that finds these sessions, and the sessions it was told to bring in. */
async function core(sessions: ReturnType<typeof found>[]): Promise<{ dataDir: string; adopted: string[] }> {
  const adopted: string[] = [];
  const made = await startScriptedCore({
    agents: {
      adoptable: script.agents.adoptable.handler(() => ({ sessions, problems: [{ socket: '/tmp/slow', problem: 'no answer' }] })),
      adopt: script.agents.adopt.handler(({ input }) => {
        adopted.push(`${input.socket} ${input.session}`);
        return sampleAgent('claude-a');
      }),
    },
  });
  cores.push(made);
  return { dataDir: made.dataDir, adopted };
}

it('lists what runs, and says which server did not answer', async () => {
  const { dataDir } = await core([found('refactor', '/tmp/a')]);
  const told = await runInProcess(['adopt'], { dataDir });
  expect(told.code).toBe(0);
  expect(told.stdout).toMatch(/refactor +claude .* no +\/work +\/tmp\/a/);
  expect(told.stderr).toContain('/tmp/slow: no answer');
});

it('brings in the one that is named, once for all its panes', async () => {
  const { dataDir, adopted } = await core([found('refactor', '/tmp/a'), found('refactor', '/tmp/a'), found('other', '/tmp/b')]);
  expect((await runInProcess(['adopt', 'refactor'], { dataDir })).stdout).toContain(
    'claude-a is attached to tmux session "refactor"',
  );
  expect(adopted).toEqual(['/tmp/a refactor']);
  expect((await runInProcess(['adopt', 'nobody'], { dataDir })).code).toBe(5);
});

it('asks which server is meant where several have a session of that name', async () => {
  const { dataDir, adopted } = await core([found('0', '/tmp/a'), found('0', '/tmp/b')]);
  const told = await runInProcess(['adopt', '0'], { dataDir });
  expect(told).toMatchObject({ code: 2 });
  expect(told.stderr).toContain('--socket');
  await runInProcess(['adopt', '0', '--socket', '/tmp/b'], { dataDir });
  expect(adopted).toEqual(['/tmp/b 0']);
});
