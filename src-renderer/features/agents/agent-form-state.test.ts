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
    ['processes', { processes: 'few' }],
    ['processes', { processes: '1' }],
    ['openFiles', { openFiles: '3' }],
    ['disk', { disk: 'much' }],
    ['image', { runtime: 'docker', image: 'No Image' }],
    ['modelApis', { runtime: 'docker', modelApis: 'Anthropic!' }],
    ['egressRules', { runtime: 'docker', egressRules: 'example.org' }],
  ])('says at %s what is wrong', (field, changes) => {
    const { errors } = read(changes);
    expect(Object.keys(errors ?? {})).toEqual([field]);
    expect(Object.values(errors ?? {})[0]).toMatch(/^[A-Z“].*[.!?]$/s);
  });

  it('states of a box what there is a box for', () => {
    const typed = {
      sandbox: 'none',
      image: 'alpine:3.20',
      workspace: 'own',
      login: 'api-key',
      modelApis: 'anthropic, openai',
      egressMode: 'learn',
      egressRules: ' example.org:443:tls \n\nexample.org:443:tls\n*.example.net:80:http',
      setup: 'npm ci',
      processes: '64',
      tmp: '64MB',
    } as const;
    const shared = {
      type: 'worker',
      workspace: { mode: 'own' },
      login: 'api-key',
      setup: 'npm ci',
      resourceLimits: { processes: 64, tmp: '64MB' },
    };
    const reach = {
      modelApis: ['anthropic', 'openai'],
      egress: { mode: 'learn', rules: ['example.org:443:tls', '*.example.net:80:http'] },
    };
    expect(read({ ...typed, runtime: 'docker' })).toEqual({
      draft: { ...shared, ...reach, runtime: 'docker', image: 'alpine:3.20' },
      errors: undefined,
    });
    expect(read({ ...typed, runtime: 'tmux' })).toEqual({
      draft: { ...shared, runtime: 'tmux', sandbox: 'none' },
      errors: undefined,
    });
    expect(read({ ...typed, runtime: 'tmux', sandbox: 'bubblewrap' })).toEqual({
      draft: { ...shared, ...reach, runtime: 'tmux', sandbox: 'bubblewrap' },
      errors: undefined,
    });
  });

  it('reads back what it shows of a box', () => {
    const config = AgentConfig.parse({
      id: 'ada',
      type: 'worker',
      projectId: ProjectId.parse(mintId('prj')),
      runtime: 'docker',
      image: 'alpine:3.20',
      workspace: { mode: 'shared' },
      login: 'api-key',
      modelApis: ['anthropic'],
      egress: { mode: 'learn', rules: ['example.org:443:tls'] },
      setup: 'npm ci\nnpm test\n',
      resourceLimits: { processes: 64, openFiles: 128, tmp: '1MB', disk: '1GB' },
    });
    const result = readFields(fieldsOf(config));
    expect(AgentConfig.parse({ projectId: config.projectId, ...('draft' in result ? result.draft : {}) })).toEqual(config);
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
    expect(fieldAt('egress')).toBe('egressRules');
    expect(fieldAt('egress.rules.3')).toBe('egressRules');
    expect(fieldAt('workspace.mode')).toBe('workspace');
    expect(fieldAt('capabilities.0')).toBe('capabilities');
    expect(fieldAt('nothing')).toBeUndefined();
  });

  it('has the help of the contract', () => {
    expect(helpOf('memory')).toContain('2GB');
    expect(helpOf('type')).toContain('worker');
  });
});
