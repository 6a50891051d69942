import { afterEach, expect, it } from 'vitest';
import { MessageId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import { runInProcess } from '../testing/run-in-process.ts';
import type { ScriptedCore } from '../testing/scripted-core.ts';
import { script, startScriptedCore } from '../testing/scripted-core.ts';

const cores: ScriptedCore[] = [];
afterEach(async () => {
  for (const core of cores.splice(0)) await core.close();
});

const projectId = ProjectId.parse(mintId('prj'));

/** A core with one topic, of whose calls it keeps the inputs. */
async function core(): Promise<{ dataDir: string; asked: unknown[] }> {
  const asked: unknown[] = [];
  const standing = (call: string, input: { patterns?: string[] | undefined; agentId?: string | undefined }) => {
    asked.push([call, input]);
    const patterns = call === 'subscribe' ? (input.patterns ?? []) : [];
    return { projectId, subscriber: input.agentId ?? 'operator', patterns, changed: patterns };
  };
  const made = await startScriptedCore({
    topics: {
      subscribe: script.topics.subscribe.handler(({ input }) => standing('subscribe', input)),
      unsubscribe: script.topics.unsubscribe.handler(({ input }) => standing('unsubscribe', input)),
      list: script.topics.list.handler(({ input }) => {
        asked.push(['list', input]);
        const last = { id: MessageId.parse(mintId('msg')), from: 'ada', kind: 'event', subject: null, excerpt: 'slow\nagain' };
        return {
          topics:
            input.pattern === 'none'
              ? []
              : [{ projectId, name: 'health.db', messages: 7, firstAt: 1, lastAt: 2, last, subscribers: ['w1'] }],
          next: 'health.db',
          subscriptions: input.pattern === 'none' ? [] : [{ projectId, subscriber: 'w1', pattern: 'health.*', subscribedAt: 3 }],
          subscriptionCount: 2,
        };
      }),
    },
  });
  cores.push(made);
  return { dataDir: made.dataDir, asked };
}

it('shows topics with what was said last, and who subscribed', async () => {
  const { dataDir, asked } = await core();
  const shown = await runInProcess(['topics', '--agent', 'w1', '--limit', '5'], { dataDir });
  expect(shown.stdout).toMatch(/health\.db +7 .*ada +slow again +w1/);
  expect(shown.stdout).toMatch(/w1 +health\.\*/);
  expect(shown.stderr).toMatch(/--after health\.db/);
  expect(shown.stderr).toMatch(/2 subscriptions in all/);
  const none = await runInProcess(['topics', '--pattern', 'none'], { dataDir });
  expect(none.stdout + none.stderr).toContain('quarterdeck send topic:<name>');
  expect(asked).toEqual([
    ['list', { subscriber: 'w1', limit: 5 }],
    ['list', { pattern: 'none', limit: 100 }],
  ]);
});

it("changes one's own subscriptions, or an agent's", async () => {
  const { dataDir, asked } = await core();
  expect((await runInProcess(['topics', 'subscribe', 'a.*', 'b.#'], { dataDir })).stdout).toBe(
    'operator is subscribed to a.*, b.#.\n',
  );
  expect((await runInProcess(['topics', 'unsubscribe', '--agent', 'w1'], { dataDir })).stdout).toBe(
    'w1 is subscribed to nothing.\n',
  );
  expect(asked).toEqual([
    ['subscribe', { patterns: ['a.*', 'b.#'] }],
    ['unsubscribe', { agentId: 'w1' }],
  ]);
});

it('says what is wrong with a pattern before it asks', async () => {
  const { dataDir, asked } = await core();
  const wrong = await runInProcess(['topics', 'subscribe', 'Health'], { dataDir });
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('"Health" must be a topic\'s name or a pattern')]);
  expect(asked).toEqual([]);
});
