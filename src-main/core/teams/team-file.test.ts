import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '#shared/kernel/errors.ts';
import { effort } from '#e2e/support/effort.ts';
import type { Json } from '#shared/kernel/json.ts';
import { Json as JsonSchema } from '#shared/kernel/json.ts';
import { checkTeam, freeSuffix, parseTeam, replaceAgents, suffixed } from './team-file.ts';

const SAMPLE = readFileSync(new URL('../../../assets/teams/sample-crew.yaml', import.meta.url), 'utf8');

function problemOf(text: string): string {
  try {
    checkTeam(parseTeam(text));
  } catch (error) {
    if (error instanceof AppError && error.code === 'BAD_REQUEST') return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('reading a team file', () => {
  it('reads the sample crew', () => {
    const team = parseTeam(SAMPLE);
    checkTeam(team);
    expect(team).toMatchObject({ name: 'sample-crew', start: [{ to: 'scout', kind: 'task', priority: 'normal' }] });
    expect(team.agents.map(({ id }) => id)).toEqual(['scout', 'analyst-1', 'analyst-2']);
  });

  it('reads JSON too', () => {
    expect(parseTeam('{"name": "one", "agents": [{"id": "a", "type": "worker"}]}').start).toEqual([]);
  });

  it.each([
    ['an empty file', '', 'team'],
    ['a list', '- a', 'team'],
    ['no agents', 'name: x', 'agents'],
    ['too few agents', 'name: x\nagents: []', 'agents'],
    ['a bad name', 'name: My Team\nagents: [{id: a, type: worker}]', '"name" must be a slug such as "sample-crew"'],
    ['an agent without an id', 'name: x\nagents: [{type: worker}]', 'agents.0.id'],
    ['a bad id', 'name: x\nagents: [{id: "A B", type: worker}]', '"agents.0.id" must be 1 to 63 of a-z'],
    ['a reserved id', 'name: x\nagents: [{id: operator, type: worker}]', '"agents.0.id" is reserved'],
    ['a field that is none', 'name: x\nagents: [{id: a, type: worker, colour: red}]', 'colour'],
    ['a bad type', 'name: x\nagents: [{id: a, type: robot}]', 'agents.0.type'],
    [
      'a bad limit',
      'name: x\nagents: [{id: a, type: worker, resourceLimits: {memory: lots}}]',
      '"agents.0.resourceLimits.memory" must be a size',
    ],
    [
      'a variable that is reserved',
      'name: x\nagents: [{id: a, type: worker, environment: {LD_PRELOAD: /x}}]',
      '"agents.0.environment.LD_PRELOAD" is reserved',
    ],
    ['a message without a body', 'name: x\nagents: [{id: a, type: worker}]\nstart: [{to: a}]', 'start.0.body'],
    [
      'an id that occurs twice',
      'name: x\nagents: [{id: a, type: worker}, {id: b}, {id: a, type: worker}]',
      '"agents.2.id": "a" occurs twice',
    ],
    [
      'a message to what is no address',
      'name: x\nagents: [{id: a, type: worker}]\nstart: [{to: "A B", body: go}]',
      '"start.0.to" must be the id of an agent',
    ],
    ['broken YAML', 'name: [x\nagents', 'not YAML'],
    ['an alias to nothing', 'name: *x', 'not YAML'],
    ['several documents', 'name: x\n---\nname: y', 'not YAML'],
  ])('names the field and what is allowed: %s', (_what, text, expected) => {
    expect(problemOf(text)).toContain(expected);
  });

  it('refuses aliases that would blow up, at once', () => {
    const levels = Array.from(
      { length: 20 },
      (_, level) =>
        `l${level}: &l${level} [${Array.from({ length: 9 }, () => (level === 0 ? 'x' : `*l${level - 1}`)).join(', ')}]`,
    );
    expect(problemOf(`name: x\nagents: [{id: a, type: worker}]\n${levels.join('\n')}`)).toContain('not YAML');
  });

  it('refuses data that is nested without end', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(
      problemOf(`{"name": "x", "agents": [{"id": "a", "type": "worker"}], "start": [{"to": "a", "body": "b", "data": ${deep}}]}`),
    ).not.toBe('');
  });
});

describe('the real ids of the agents', () => {
  const ids = new Map([['scout', 'scout-2']]);

  it('replace "@<id>", at any depth, and nothing else', () => {
    const data = {
      to: '@scout',
      list: ['@scout', { deep: '@scout' }],
      text: 'mail @scout',
      other: '@nobody',
      at: '@',
      '@scout': 1,
      none: null,
    };
    expect(replaceAgents(data, ids)).toEqual({
      to: 'scout-2',
      list: ['scout-2', { deep: 'scout-2' }],
      text: 'mail @scout',
      other: '@nobody',
      at: '@',
      '@scout': 1,
      none: null,
    });
  });

  it('leave any JSON as it is where no agent is named', () => {
    const jsonOf = (value: unknown): Json => JsonSchema.parse(value);
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const json = jsonOf(value);
        expect(replaceAgents(json, new Map())).toEqual(json);
      }),
      { numRuns: effort.propertyRuns },
    );
  });
});

describe('the suffix of a fresh team', () => {
  it('is the first with which no id is taken', () => {
    const taken = new Set(['scout', 'analyst-2-2', 'scout-4']);
    expect(freeSuffix(['scout', 'analyst-2'], (id) => taken.has(id))).toBe('-3');
    expect(freeSuffix(['other'], (id) => taken.has(id))).toBe('');
  });

  it('says which id is too long to take one', () => {
    const id = 'a'.repeat(62);
    expect(suffixed(id, '')).toBe(id);
    expect(() => freeSuffix([id], (candidate) => candidate === id)).toThrow(/is too long|1 to 63/);
    expect(() => freeSuffix([id], (candidate) => candidate === id)).toThrow(/Shorten the id/);
  });
});
