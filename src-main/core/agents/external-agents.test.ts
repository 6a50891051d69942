import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { CORE } from '#core/caller.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { ExternalAgents } from './external-agents.ts';
import type { TestAgents } from './testing/open-agents.ts';
import { openTestAgents } from './testing/open-agents.ts';

const id = AgentId.parse('visitor');
const HEARTBEAT_MS = 1_000;

let test: TestAgents;
let external: ExternalAgents;
let steady: number;
let held: number;

function open(): void {
  external = new ExternalAgents({
    registry: test.registry,
    heldBy: () => held,
    now: Date.now,
    steadyNow: () => steady,
    log: () => undefined,
  });
  external.open();
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  steady = 0;
  held = 0;
  test = openTestAgents();
  open();
  await external.enrol(
    {
      id,
      projectId: SYSTEM_PROJECT_ID,
      name: 'Visitor',
      capabilities: [],
      specialisations: [],
      note: '',
      heartbeatMs: HEARTBEAT_MS,
      allowed: null,
    },
    CORE,
    () => undefined,
  );
});

afterEach(async () => {
  vi.useRealTimers();
  external.dispose();
  await test.dispose();
});

/** Lets time go by, in steps in which every timer that is due runs. */
async function after(ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 100) {
    steady += 100;
    await vi.advanceTimersByTimeAsync(100);
  }
  // What a timer has begun to write is written.
  await test.store.write(() => undefined);
}

const state = (): ReturnType<AgentRegistry['get']>['state'] => test.registry.get(id).state;

describe('an agent from outside', () => {
  it('is there for three heartbeats, then lost, and back when it calls', async () => {
    await after(2_900);
    expect(state()).toMatchObject({ status: 'idle' });
    external.onCall(id)();
    await after(2_900);
    expect(state()).toMatchObject({ status: 'idle' });
    await after(300);
    expect(state()).toMatchObject({
      status: 'lost',
      reason: 'it has not called for 3 s, though it said every 1 s',
      evidence: { source: 'clock' },
    });
    held = 2;
    external.onCall(id)();
    await test.store.write(() => undefined);
    expect(state()).toMatchObject({ status: 'working', evidence: { source: 'interface' } });
    await after(3_200);
    expect(state().status).toBe('lost');
  });

  it('says when it was heard last: at its enrolment, when it never called since', async () => {
    await after(3_200);
    expect(state()).toMatchObject({
      status: 'lost',
      evidence: { detail: expect.stringContaining('its last call was at 20') as string },
    });
  });

  it('is there as long as it is in a call, however long that takes', async () => {
    const one = external.onCall(id);
    const two = external.onCall(id);
    await after(10_000);
    one();
    one();
    await after(10_000);
    expect(state().status).toBe('idle');
    two();
    await after(3_200);
    expect(state().status).toBe('lost');
  });

  it('has its full time after a restart of the core; lost before, it stays so until it calls', async () => {
    external.dispose();
    await after(60_000);
    open();
    await after(2_900);
    expect(state().status).toBe('idle');
    await after(300);
    expect(state()).toMatchObject({
      status: 'lost',
      evidence: { detail: 'nothing was heard of it since Quarterdeck started' },
    });
    external.dispose();
    open();
    await after(5_000);
    expect(state().status).toBe('lost');
  });

  it('with another heartbeat is given that time', async () => {
    await external.change(id, { heartbeatMs: 2_000 }, CORE);
    await after(5_900);
    expect(state().status).toBe('idle');
    await after(300);
    expect(state().status).toBe('lost');
  });

  it('is not started, stopped, paused or resumed, and is told what to do instead', async () => {
    const told = { code: 'CONFLICT', message: expect.stringContaining('remove_agent ends its access') as string };
    await expect(test.agents.start(id, CORE)).rejects.toMatchObject(told);
    await expect(test.agents.stop(id, 0, CORE)).rejects.toMatchObject(told);
    await expect(test.agents.restart(id, 0, CORE)).rejects.toMatchObject(told);
    await expect(test.agents.pause(id, CORE)).rejects.toMatchObject(told);
    await expect(test.agents.resume(id, CORE)).rejects.toMatchObject(told);
    expect(test.agents.isStoppable(test.registry.get(id))).toBe(false);
    expect(state().status).toBe('idle');
  });

  it('cannot be spawned, nor be given a box', async () => {
    await expect(test.agents.spawn({ type: 'external' }, CORE)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'type' },
    });
    expect(test.registry.get(id).config.runtime).toBe('none');
    await expect(test.agents.update(id, { sandbox: 'bubblewrap' }, CORE)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    for (const runtime of ['docker', 'tmux', 'pty'] as const)
      await expect(test.agents.update(id, { runtime }, CORE)).rejects.toMatchObject({ code: 'CONFLICT' });
    for (const promise of [{ environment: { A: 'b' } }, { setup: 'true' }, { login: 'api-key' as const }])
      await expect(test.agents.update(id, promise, CORE)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        message: expect.stringContaining('leave it out') as string,
      });
    const changed = await test.agents.update(id, { capabilities: ['api'], description: 'of the office' }, CORE);
    expect(changed).toMatchObject({ config: { capabilities: ['api'], external: { name: 'Visitor' } }, boundary: 'host' });
    expect(changed.boundaryNote).toContain('not contained, not controlled');
  });

  it('is removed while it is there, and its token ends with it', async () => {
    await test.agents.remove(id, CORE);
    expect(test.revoked).toEqual([id]);
    expect(test.registry.find(id)).toBeUndefined();
    external.onCall(id)();
    await after(5_000);
    expect(test.registry.findRemoved(id)?.state.status).toBe('idle');
  });

  it('is not taken for one whose process is gone when a core looks for what runs', async () => {
    await test.agents.adopt();
    expect(state().status).toBe('idle');
    await test.agents.close({ stopAgents: true });
    expect(state().status).toBe('idle');
  });
});
