import { afterEach, expect, it } from 'vitest';
import type { EnrolmentRequest } from '#shared/enrolments/model.ts';
import { AgentId, EnrolmentCodeId, EnrolmentRequestId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import { runInProcess } from '../testing/run-in-process.ts';
import type { ScriptedCore } from '../testing/scripted-core.ts';
import { script, startScriptedCore } from '../testing/scripted-core.ts';

const cores: ScriptedCore[] = [];
afterEach(async () => {
  for (const core of cores.splice(0)) await core.close();
});

const projectId = ProjectId.parse(mintId('prj'));
const REQUEST: EnrolmentRequest = {
  id: EnrolmentRequestId.parse(mintId('enr')),
  projectId,
  status: 'pending',
  wish: {
    name: 'Claude in CI',
    agentId: null,
    project: null,
    capabilities: [],
    specialisations: [],
    note: 'from the build\u001b[31m',
    heartbeatMs: 60_000,
  },
  address: '127.0.0.1',
  check: 'ABC-123',
  requestedAt: 1,
  expiresAt: 2,
  agentId: null,
};

/** A core that makes codes, and what it was asked. */
async function core(): Promise<{ dataDir: string; asked: unknown[] }> {
  const asked: unknown[] = [];
  const made = await startScriptedCore({
    enrolments: {
      createCode: script.enrolments.createCode.handler(({ input }) => {
        asked.push(input);
        return {
          code: {
            id: EnrolmentCodeId.parse(mintId('enc')),
            projectId: null,
            agentId: null,
            capabilities: null,
            note: '',
            createdAt: 1,
            expiresAt: 2,
            revokedAt: null,
            usedAt: null,
            usedBy: null,
          },
          secret: 'qde_secret',
          agentMcpUrl: 'http://127.0.0.1:3100/mcp',
        };
      }),
      list: script.enrolments.list.handler(() => ({ codes: [], requests: [REQUEST] })),
      decide: script.enrolments.decide.handler(({ input }) => {
        asked.push(input);
        return {
          ...REQUEST,
          status: input.isApproved ? ('approved' as const) : ('denied' as const),
          agentId: AgentId.parse('claude'),
        };
      }),
    },
  });
  cores.push(made);
  return { dataDir: made.dataDir, asked };
}

it('prints the code alone on stdout, and beside it how it is used and what that means', async () => {
  const { dataDir, asked } = await core();
  const told = await runInProcess(['enrol', '--ttl', '5m', '--id', 'ci', '--capability', 'api', 'db'], { dataDir });
  expect(told).toMatchObject({ code: 0, stdout: 'qde_secret\n' });
  expect(told.stderr).toContain('claude mcp add --transport http quarterdeck-crew http://127.0.0.1:3100/mcp');
  expect(told.stderr).toContain('neither contains nor controls');
  expect(asked).toEqual([{ ttlMs: 300_000, agentId: 'ci', capabilities: ['api', 'db'], note: '' }]);
});

it('lists who asks, and decides', async () => {
  const { dataDir, asked } = await core();
  const listed = await runInProcess(['enrol', 'list'], { dataDir });
  expect(listed.stdout).toMatch(/Claude in CI +127\.0\.0\.1 +ABC-123/);
  expect(listed.stdout).not.toContain('\u001b[31m');
  expect((await runInProcess(['enrol', 'approve', REQUEST.id], { dataDir })).stdout).toContain('is agent claude now');
  expect((await runInProcess(['enrol', 'deny', REQUEST.id], { dataDir })).stdout).toContain('was not let in');
  expect(asked).toEqual([
    { id: REQUEST.id, isApproved: true },
    { id: REQUEST.id, isApproved: false },
  ]);
  expect((await runInProcess(['enrol', 'approve', 'nobody'], { dataDir })).code).toBe(2);
});
