import { describe, expect, it } from 'vitest';
import type { MiddlewareStep } from '#shared/middleware/model.ts';
import { MiddlewareChain } from '#shared/middleware/model.ts';
import { draftOf, moved, newStep, readChain, readStep, STEP_KINDS } from './chain-draft.ts';
import { helpOf, KIND_WORDS, summaryOf } from './step-words.ts';

describe('a chain while it is edited', () => {
  it('begins each kind of step with something that holds, under a name of its own', () => {
    const drafts = STEP_KINDS.flatMap((kind) => {
      const first = newStep(kind, []);
      return [first, newStep(kind, [first])];
    });
    const chain = readChain(drafts);
    expect(chain?.steps.map(({ id }) => id)).toEqual(STEP_KINDS.flatMap((kind) => [kind, `${kind}-2`]));
    expect(chain?.steps.map(summaryOf)).not.toContain('');
    expect(Object.keys(KIND_WORDS).toSorted()).toEqual([...STEP_KINDS].toSorted());
    // What was stored comes back as it was.
    expect(readChain((chain?.steps ?? []).map(draftOf))).toEqual(chain);
  });

  it('says what is wrong with a step, and stands for nothing then', () => {
    const step = newStep('limit', []);
    for (const [text, problem] of [
      ['{', /JSON/i],
      ['[1]', /one JSON object/],
      ['{"perMinute": 0, "burst": 1}', /^perMinute: /],
      ['{"perMinute": 1, "burst": 1, "brust": 2}', /brust/],
    ] as const) {
      const draft = { ...step, text };
      const read = readStep(draft);
      expect(read.ok ? '' : read.problem).toMatch(problem);
      expect(readChain([draft])).toBeUndefined();
    }
    expect(readChain([step, { ...newStep('audit', []), id: step.id }])).toBeUndefined();
  });

  it('moves a step and keeps the others in their order', () => {
    const drafts = STEP_KINDS.slice(0, 4).map((kind) => newStep(kind, []));
    const ids = (from: number, to: number): string =>
      moved(drafts, from, to)
        .map(({ id }) => id[0])
        .join('');
    expect([ids(0, 1), ids(3, 0), ids(1, 9), ids(2, -1), ids(7, 0)]).toEqual(['avlr', 'rval', 'vlra', 'lvar', 'valr']);
  });
});

it('tells of every kind what its data may hold', () => {
  for (const kind of STEP_KINDS) {
    const names = helpOf(kind).map(({ name }) => name);
    expect(names).toContain('when');
    expect(names).not.toContain('kind');
  }
  expect(helpOf('limit').map(({ name, type }) => [name, type])).toEqual(
    expect.arrayContaining([
      ['perMinute', 'number, 1 to 60000'],
      ['per', 'sender | pair'],
      ['forOperatorToo', 'true | false'],
    ]),
  );
  expect(helpOf('authorise')[0]).toMatchObject({ name: 'rules', isRequired: true, type: 'list of {from, to, effect}' });
  const steps: MiddlewareStep[] = MiddlewareChain.parse({
    steps: [{ id: 'a', kind: 'module', module: 'house-style', onFailure: 'open', when: { kinds: ['task'] } }],
  }).steps;
  expect(steps.map(summaryOf)).toEqual([
    'house-style, 200 ms; when it fails the message passes as it was, only for some messages',
  ]);
});
