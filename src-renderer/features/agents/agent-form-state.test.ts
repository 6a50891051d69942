import { describe, expect, it } from 'vitest';
import { AgentConfig } from '#shared/agents/model.ts';
import { mintId, ProjectId } from '#shared/kernel/ids.ts';
import { EMPTY_FIELDS, fieldAt, fieldsOf, helpOf, readFields } from './agent-form-state.ts';

const read = (changes: Partial<typeof EMPTY_FIELDS>) => readFields({ ...EMPTY_FIELDS, ...changes });

describe('the agent form', () => {
  it('states only what was typed', () => {
    expect(read({})).toEqual({ draft: { type: 'worker' }, errors: undefined });
    expect(
      read({
        id: ' ada ',
        type: 'command',
        command: `sh -c 'echo a b'`,
        capabilities: 'review, testing',
        maxConcurrentTasks: '3',
        memory: '1GB',
        timeout: '10m',
        environment: 'A=1\n\nB=x=y',
      }),
    ).toEqual({
      draft: {
        id: 'ada',
        type: 'command',
        command: ['sh', '-c', 'echo a b'],
        capabilities: ['review', 'testing'],
        maxConcurrentTasks: 3,
        resourceLimits: { memory: '1GB', timeout: 600_000 },
        environment: { A: '1', B: 'x=y' },
      },
      errors: undefined,
    });
  });

  it.each<[string, Partial<typeof EMPTY_FIELDS>]>([
    ['id', { id: 'Not An Id' }],
    ['command', { type: 'command' }],
    ['command', { type: 'command', command: `echo 'a` }],
    ['maxConcurrentTasks', { maxConcurrentTasks: 'many' }],
    ['maxConcurrentTasks', { maxConcurrentTasks: '0' }],
    ['memory', { memory: 'lots' }],
    ['cpu', { cpu: '-1' }],
    ['timeout', { timeout: 'soon' }],
    ['capabilities', { capabilities: 'Review!' }],
    ['environment', { environment: 'NOVALUE' }],
    ['environment', { environment: 'QUARTERDECK_X=1' }],
  ])('says at %s what is wrong', (field, changes) => {
    const { errors } = read(changes);
    expect(Object.keys(errors ?? {})).toEqual([field]);
    expect(Object.values(errors ?? {})[0]).toMatch(/^[A-Z“].*[.!?]$/s);
  });

  it('reads back what it shows of a configuration', () => {
    const config = AgentConfig.parse({
      id: 'ada',
      type: 'command',
      projectId: ProjectId.parse(mintId('prj')),
      command: ['bash', '-lc', `echo "it's"`],
      resourceLimits: { memory: '512MB', cpu: '0.5', timeout: 90_000 },
      environment: { A: 'b c' },
      capabilities: ['review'],
    });
    const result = readFields(fieldsOf(config));
    expect(result.errors).toBeUndefined();
    // What the form does not show has its default here, and gets it again.
    const { projectId } = config;
    expect(AgentConfig.parse({ projectId, ...('draft' in result ? result.draft : {}) })).toEqual(config);
  });

  it('finds the field of a complaint of the core', () => {
    expect(fieldAt('changes.resourceLimits.memory')).toBe(undefined);
    expect(fieldAt('resourceLimits.memory')).toBe('memory');
    expect(fieldAt('capabilities.0')).toBe('capabilities');
    expect(fieldAt('nothing')).toBeUndefined();
  });

  it('has the help of the contract', () => {
    expect(helpOf('memory')).toContain('2GB');
    expect(helpOf('type')).toContain('worker');
  });
});
