import { expect, it } from 'vitest';
import { ProjectId, mintId } from '#shared/kernel/ids.ts';
import { hasTopic, patternProblem, subscribersOf } from './topic-patterns.ts';

it('knows which topics a pattern has', () => {
  const has = (pattern: string, names: readonly string[]): boolean[] => names.map((name) => hasTopic(pattern, name));
  expect(has('health.*', ['health', 'health.db', 'health.db.main'])).toEqual([false, true, false]);
  expect(has('tasks.#', ['tasks', 'tasks.build', 'tasks.build.web', 'task'])).toEqual([true, true, true, false]);
  expect(has('#', ['a', 'a.b'])).toEqual([true, true]);
  expect(has('#.web', ['web', 'tasks.build.web', 'web.x'])).toEqual([true, true, false]);
  expect(has('a.#.z', ['a.z', 'a.b.c.z', 'a.b'])).toEqual([true, true, false]);
});

it('says by which of their patterns subscribers get it', () => {
  const projectId = ProjectId.parse(mintId('prj'));
  const at = (subscriber: string, pattern: string) => ({ projectId, subscriber, pattern, subscribedAt: 1 });
  expect(
    subscribersOf({ name: 'health.db', subscribers: ['ada', 'operator'] }, [
      at('ada', 'health.*'),
      at('ada', 'tasks.#'),
      at('ada', '#'),
      at('operator', 'health.db'),
      at('ben', '#'),
    ]),
  ).toEqual([
    { subscriber: 'ada', patterns: ['health.*', '#'] },
    { subscriber: 'operator', patterns: ['health.db'] },
  ]);
});

it('says what is wrong with a pattern', () => {
  expect(patternProblem('health.*')).toBeUndefined();
  expect(patternProblem('Health db')).toContain('joined by dots');
});
