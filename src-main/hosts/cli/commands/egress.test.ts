import { afterEach, expect, it } from 'vitest';
import type { EgressMode } from '#shared/egress/model.ts';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import { runInProcess } from '../testing/run-in-process.ts';
import type { ScriptedCore } from '../testing/scripted-core.ts';
import { script, startScriptedCore } from '../testing/scripted-core.ts';

const cores: ScriptedCore[] = [];
afterEach(async () => {
  for (const core of cores.splice(0)) await core.close();
});

interface Asked {
  rules: string[];
  mode: EgressMode;
  connections: unknown[];
}

/** A core with one agent that has a rule. */
async function core(): Promise<{ dataDir: string; asked: Asked }> {
  const asked: Asked = { rules: ['a.org:443:tls'], mode: 'deny', connections: [] };
  const state = () => ({ id: AgentId.parse('ada'), mode: asked.mode, rules: asked.rules, isServed: true });
  const made = await startScriptedCore({
    egress: {
      get: script.egress.get.handler(state),
      set: script.egress.set.handler(({ input }) => {
        asked.rules = input.rules ?? asked.rules;
        asked.mode = input.mode ?? asked.mode;
        return state();
      }),
      connections: script.egress.connections.handler(({ input }) => {
        asked.connections.push(input);
        return {
          hasMore: true,
          connections: [
            {
              id: 7,
              projectId: ProjectId.parse(mintId('prj')),
              agentId: AgentId.parse('ada'),
              via: 'connect' as const,
              host: 'b.org',
              port: 443,
              protocol: 'tls' as const,
              address: null,
              outcome: 'refused' as const,
              reason: 'no rule allows it',
              at: 1_750_000_000_000,
              durationMs: 1,
              sentBytes: 0,
              receivedBytes: 0,
            },
          ],
        };
      }),
    },
  });
  cores.push(made);
  return { dataDir: made.dataDir, asked };
}

it('shows the rules', async () => {
  const { dataDir } = await core();
  expect((await runInProcess(['egress', 'ada'], { dataDir })).stdout).toBe(
    'ada may connect to these, and nowhere else:\n  a.org:443:tls\n',
  );
  expect(JSON.parse((await runInProcess(['egress', 'ada', '--json'], { dataDir })).stdout)).toMatchObject({
    rules: ['a.org:443:tls'],
  });
});

it('adds and removes rules, the others stay', async () => {
  const { dataDir, asked } = await core();
  await runInProcess(['egress', 'ada', 'allow', 'b.org:80:http', 'a.org:443:tls'], { dataDir });
  expect(asked.rules).toEqual(['a.org:443:tls', 'b.org:80:http']);
  expect((await runInProcess(['egress', 'ada', 'remove', 'a.org:443:tls', 'b.org:80:http'], { dataDir })).stdout).toBe(
    'ada may connect nowhere.\n',
  );
  expect(asked.rules).toEqual([]);
});

it('lets it learn', async () => {
  const { dataDir, asked } = await core();
  expect((await runInProcess(['egress', 'ada', 'learn'], { dataDir })).stdout).toContain('mode learn');
  expect(asked).toMatchObject({ mode: 'learn', rules: ['a.org:443:tls'] });
});

it('lists connections', async () => {
  const { dataDir, asked } = await core();
  const told = await runInProcess(['egress', 'ada', 'log', '--outcome', 'refused', '--limit', '1'], { dataDir });
  expect(told.stdout).toMatch(/refused +b\.org:443:tls +0 +0 +no rule allows it/);
  expect(told.stderr).toContain('There are older ones');
  expect(asked.connections).toEqual([{ agentId: 'ada', outcome: 'refused', limit: 1 }]);
});

it.each([
  [['egress', 'ada', 'allow'], 'Name at least one rule'],
  [['egress', 'ada', 'allow', 'b.org'], '"b.org" must be host:port:protocol'],
  [['egress', 'ada', 'remove', 'c.org:443:tls'], 'ada has no rule c.org:443:tls'],
  [['egress', 'ada', 'forbid'], '"forbid" is not one of'],
  [['egress', 'ada', 'log', 'b.org:80:http'], '"log" takes nothing'],
  [['egress', 'Ada!'], 'is no id of an agent'],
])('refuses %j, and changes nothing', async (argv, complaint) => {
  const { dataDir, asked } = await core();
  const told = await runInProcess(argv, { dataDir });
  expect(told.code).toBe(2);
  expect(told.stderr).toContain(complaint);
  expect(asked).toEqual({ rules: ['a.org:443:tls'], mode: 'deny', connections: [] });
});
