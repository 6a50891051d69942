import { expect, it } from 'vitest';
import { AgentConfig } from '#shared/agents/model.ts';
import { mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { AgentFields } from './agent-form-state.ts';
import { fieldsOf, readFields } from './agent-form-state.ts';
import { configChanges } from './config-changes.ts';

const config = AgentConfig.parse({
  id: 'ada',
  type: 'worker',
  projectId: ProjectId.parse(mintId('prj')),
  description: 'reviews',
  resourceLimits: { memory: '512MB', processes: 64, disk: '1GB' },
  environment: { A: '1' },
  workspace: { mode: 'shared' },
});

const saved = (fields: AgentFields) => {
  const result = readFields(fields);
  if (result.errors !== undefined) throw new Error(JSON.stringify(result.errors));
  return configChanges(result.draft, config);
};

it('changes nothing when nothing was changed', () => {
  const { id: _id, projectId: _project, type: _type, ...same } = config;
  expect(saved(fieldsOf(config))).toEqual({ ...same, image: null });
});

it('gives what was emptied its default, and leaves alone what was not touched', () => {
  const changes = saved({ ...fieldsOf(config), description: '', memory: '', environment: '' });
  expect(changes).toMatchObject({
    description: '',
    environment: {},
    resourceLimits: { memory: '2GB', processes: 64, disk: '1GB' },
    workspace: { mode: 'shared' },
  });
});

it('takes with the box what only a box can hold', () => {
  const boxed = { ...fieldsOf(config), runtime: 'docker', egressRules: 'example.org:443:tls', modelApis: 'anthropic' } as const;
  expect(saved(boxed)).toMatchObject({ runtime: 'docker', egress: { rules: ['example.org:443:tls'] }, modelApis: ['anthropic'] });
  expect(saved({ ...boxed, runtime: 'tmux' })).toMatchObject({ runtime: 'tmux', egress: { rules: [] }, modelApis: [] });
});
