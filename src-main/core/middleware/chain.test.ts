import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import { MiddlewareChain } from '#shared/middleware/model.ts';
import { draftOf } from '#core/messages/message-draft.ts';
import { effort } from '#e2e/support/effort.ts';
import type { ChainContext, ChainRun } from './chain.ts';
import { drive, runChain } from './chain.ts';
import { matchesGlob, matchesTopic } from './parties.ts';

const context: ChainContext = {
  projectId: 'p',
  facts: {
    sender: { kind: 'agent', id: 'ada', template: null, capabilities: [] },
    recipients: [{ kind: 'agent', id: 'ben', template: null, capabilities: [] }],
    kind: 'note',
    topic: null,
  },
  take: () => 0,
  findSecrets: () => [],
  // Says which message it was given, a turn later.
  callModule: async (step, draft) => ({
    ok: true,
    value: {
      to: draft.to,
      kind: draft.kind,
      topic: null,
      inReplyTo: null,
      priority: draft.priority,
      subject: `${draft.subject}<${step.id}>`,
      body: draft.body,
      data: null,
      ttlMs: null,
    },
  }),
};

const start = draftOf({ to: AgentId.parse('ben'), body: 'text', kind: 'note', priority: 'normal', subject: '' });

async function run(steps: unknown[]): Promise<ChainRun> {
  return drive(runChain(MiddlewareChain.parse({ steps }), start, context));
}

it('steps are carried out in their order, each on what the one before left, until one refuses', async () => {
  const kind = fc.constantFrom('prefix', 'suffix', 'module', 'off', 'refuse');
  await fc.assert(
    fc.asyncProperty(fc.array(kind, { maxLength: 12 }), async (kinds) => {
      const steps = kinds.map((what, index) => {
        const id = `s${index}`;
        if (what === 'module') return { id, kind: 'module', module: 'any' };
        if (what === 'refuse') return { id, kind: 'validate', minBodyChars: 100 };
        return {
          id,
          kind: 'transform',
          enabled: what !== 'off',
          subject: what === 'prefix' ? { prefix: `(${id})` } : { suffix: `(${id})` },
        };
      });
      let subject = '';
      const end = kinds.indexOf('refuse');
      for (const [index, what] of (end < 0 ? kinds : kinds.slice(0, end)).entries()) {
        if (what === 'prefix') subject = `(s${index})${subject}`;
        if (what === 'suffix') subject = `${subject}(s${index})`;
        if (what === 'module') subject = `${subject}<s${index}>`;
      }
      const outcome = await run(steps);
      expect(outcome.draft.subject).toBe(subject);
      expect(outcome.refusal?.step).toBe(end < 0 ? undefined : `s${end}`);
      expect(outcome.steps.map(({ id }) => id)).toEqual(steps.slice(0, end < 0 ? steps.length : end + 1).map(({ id }) => id));
    }),
    { numRuns: effort.propertyRuns },
  );
});

it('a chain without modules is carried out at once', () => {
  const chain = MiddlewareChain.parse({ steps: [{ id: 'a', kind: 'redact' }] });
  expect(drive(runChain(chain, start, context))).not.toBeInstanceOf(Promise);
});

it.each([
  ['*', 'anything', true],
  ['worker-*', 'worker-1', true],
  ['worker-*', 'a-worker-1', false],
  ['*-a-*', 'x-a-y', true],
  ['a*a', 'a', false],
  ['a*b*c', 'aXbYc', true],
  ['a*b*c', 'acb', false],
  ['ada', 'ada', true],
])('id %s has %s: %s', (pattern, id, fits) => {
  expect(matchesGlob(pattern, id)).toBe(fits);
});

it.each([
  ['health.*', 'health.db', true],
  ['health.*', 'health', false],
  ['tasks.#', 'tasks', true],
  ['tasks.#', 'tasks.build.web', true],
  ['#.web', 'tasks.build.web', true],
  ['#.#.#', 'a', true],
  ['*.#.b', 'b', false],
])('topic %s has %s: %s', (pattern, topic, fits) => {
  expect(matchesTopic(pattern, topic)).toBe(fits);
});
