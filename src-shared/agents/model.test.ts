import * as z from 'zod';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { mintId } from '#shared/kernel/ids.ts';
import { AgentConfig, AgentDraft, AgentTemplate } from './model.ts';

const projectId = mintId('prj');
const base = { id: 'w1', type: 'worker', projectId } as const;

/** What is wrong with a value, as "field: message" lines. */
function problems(schema: z.ZodType, value: unknown): string[] {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

/** A text as a pattern for itself. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

describe("an agent's configuration", () => {
  it('has a default for everything but id, type and project', () => {
    expect(AgentConfig.parse(base)).toEqual({
      ...base,
      capabilities: [],
      maxConcurrentTasks: 1,
      resourceLimits: {
        memory: '2GB',
        cpu: '2',
        timeout: 0,
        processes: 512,
        openFiles: 4_096,
        tmp: '256MB',
        disk: '10GB',
      },
      environment: {},
      runtime: 'tmux',
      sandbox: 'none',
      workspace: { mode: 'auto' },
      login: 'none',
      modelApis: [],
      egress: { mode: 'deny', rules: [] },
      description: '',
    });
    expect(problems(AgentConfig, {}).map((line) => line.split(':')[0])).toEqual(['id', 'type', 'projectId']);
  });

  it('takes units and numbers as people write them, and what it made of them again', () => {
    const config = AgentConfig.parse({ ...base, resourceLimits: { memory: '512mb', cpu: 0.5, timeout: '10m' } });
    expect(config.resourceLimits).toMatchObject({ memory: '512mb', cpu: '0.5', timeout: 600_000 });
    expect(AgentConfig.parse(config)).toEqual(config);
  });

  it.each([
    ['an unknown type', { type: 'robot' }, ['type: Invalid option: expected one of "worker"|"command"|"external"']],
    [
      'an id that is no slug',
      { id: 'Not OK' },
      ['id: must be 1 to 63 of a-z, 0-9, dot, underscore and hyphen, starting with a letter or digit'],
    ],
    [
      'a size without sense',
      { resourceLimits: { memory: 'lots' } },
      ['resourceLimits.memory: must be a size above 0 such as "512MB" or "2GB"'],
    ],
    [
      'no memory at all',
      { resourceLimits: { memory: '0MB' } },
      ['resourceLimits.memory: must be a size above 0 such as "512MB" or "2GB"'],
    ],
    [
      'cores without sense',
      { resourceLimits: { cpu: 'all' } },
      ['resourceLimits.cpu: must be a number of cores such as "2" or "0.5"'],
    ],
    ['no cores', { resourceLimits: { cpu: 0 } }, ['resourceLimits.cpu: must be a number of cores such as "2" or "0.5"']],
    [
      'a timeout without sense',
      { resourceLimits: { timeout: 'soon' } },
      ['resourceLimits.timeout: must be milliseconds or a duration such as "30s", "10m" or "2h"'],
    ],
    ['too many tasks', { maxConcurrentTasks: 65 }, ['maxConcurrentTasks: Too big: expected number to be <=64']],
    ['no tasks', { maxConcurrentTasks: 0 }, ['maxConcurrentTasks: Too small: expected number to be >=1']],
    [
      'a capability with capitals',
      { capabilities: ['ok', 'File Processing'] },
      ['capabilities.1: must be lower-case words such as "file-processing"'],
    ],
    ['a runtime that is not there', { runtime: 'vm' }, ['runtime: Invalid option: expected one of "docker"|"tmux"|"pty"|"none"']],
    ['no runtime', { runtime: 'none' }, ['runtime: is none for agents from outside only: use "docker", "tmux" or "pty"']],
    [
      'a sandbox in a container',
      { runtime: 'docker', sandbox: 'bubblewrap' },
      ['sandbox: is for tmux and pty: a container needs none. Leave it out, or use runtime "tmux"'],
    ],
    ['an image without a container', { image: 'alpine' }, ['image: is for runtime "docker": leave it out, or use that runtime']],
    [
      'an image that is an option',
      { runtime: 'docker', image: '--privileged' },
      ['image: must be the name of an image such as "alpine:3.20"'],
    ],
    [
      'rules that nothing holds',
      { egress: { mode: 'deny', rules: ['example.org:443:tls'] } },
      [/^egress: holds contained agents only/],
    ],
    [
      'a rule that is none',
      { runtime: 'docker', egress: { mode: 'deny', rules: ['example.org'] } },
      ['egress.rules.0: must be host:port:protocol such as "api.github.com:443:tls"'],
    ],
    ['model APIs that nobody serves', { modelApis: ['anthropic'] }, [/^modelApis: are served to contained agents only/]],
    ['a reserved variable', { environment: { QUARTERDECK_AGENT_TOKEN: 'x' } }, [/^environment\.QUARTERDECK_AGENT_TOKEN: /]],
    ['a variable that is no name', { environment: { 'A-B': 'x' } }, [/^environment\.A-B: /]],
    ['a NUL in a variable', { environment: { A: 'x\0y' } }, ['environment.A: must not contain a NUL character']],
    ['an unknown field', { memory: '1GB' }, [': Unrecognized key: "memory"']],
    ['an unknown field further in', { resourceLimits: { ram: '1GB' } }, ['resourceLimits: Unrecognized key: "ram"']],
    [
      'a command without one',
      { type: 'command' },
      ['command: is required for type "command": the program and its arguments, for example ["bash", "-l"]'],
    ],
    [
      'a worker with one',
      { command: ['bash'] },
      ['command: is not allowed for type "worker": leave it out, or use type "command"'],
    ],
    ['a project that is none', { projectId: 'p1' }, ['projectId: must be an id of the form prj_<uuid>']],
  ])('names the field and what is allowed for %s', (_what, changes, expected) => {
    const found = problems(AgentConfig, { ...base, ...changes });
    expect(found).toHaveLength(expected.length);
    for (const [i, line] of expected.entries())
      expect(found[i]).toMatch(typeof line === 'string' ? new RegExp(`^${escaped(line)}$`) : line);
  });

  it('never throws on anything but says yes or no, and what it accepts it accepts again unchanged', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constant(undefined));
    const record = fc.record(
      {
        id: odd,
        type: fc.constantFrom('worker', 'command', 'x'),
        projectId: fc.constant(projectId),
        capabilities: odd,
        maxConcurrentTasks: odd,
        resourceLimits: odd,
        environment: odd,
        command: odd,
        runtime: odd,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(odd, record), (value) => {
        const first = AgentConfig.safeParse(value);
        const again = AgentConfig.safeParse(first.data);
        expect([again.success, again.data]).toEqual([first.success, first.data]);
        expect(first.success || first.error.issues.length > 0).toBe(true);
      }),
      { numRuns: effort.propertyRuns },
    );
  });
});

describe('a draft', () => {
  it('may state anything or nothing, and fills nothing in', () => {
    expect(AgentDraft.parse({})).toEqual({});
    expect(AgentDraft.parse({ resourceLimits: { cpu: 3 } })).toEqual({ resourceLimits: { cpu: '3' } });
    expect(problems(AgentDraft, { resourceLimits: { memory: 'x' } })).toEqual([
      'resourceLimits.memory: must be a size above 0 such as "512MB" or "2GB"',
    ]);
    expect(problems(AgentDraft, { colour: 'red' })).toEqual([': Unrecognized key: "colour"']);
  });
});

describe('a template', () => {
  it('names its type and no id or project', () => {
    const template = { name: 'batch', title: 'Batch worker', agent: { type: 'worker', resourceLimits: { timeout: '5m' } } };
    expect(AgentTemplate.parse(template)).toEqual({
      ...template,
      description: '',
      agent: { type: 'worker', resourceLimits: { timeout: 300_000 } },
    });
    expect(problems(AgentTemplate, { ...template, agent: {} })).toEqual([expect.stringMatching(/^agent\.type: /)]);
    expect(problems(AgentTemplate, { ...template, agent: { type: 'worker', id: 'x' } })).toEqual([
      'agent: Unrecognized key: "id"',
    ]);
    expect(problems(AgentTemplate, { ...template, name: 'Batch Worker' })).toEqual([
      'name: must be a slug such as "batch-worker"',
    ]);
  });

  it('has a JSON schema for editors', () => {
    const schema = z.toJSONSchema(AgentTemplate, { io: 'input' });
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false, required: ['name', 'title', 'agent'] });
  });
});
