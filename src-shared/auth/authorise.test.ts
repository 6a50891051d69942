import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { contract } from '#shared/contract.ts';
import type { ProcedureMeta } from '#shared/kernel/procedure.ts';
import { audienceOf, isCoreTool, refusalFor } from './authorise.ts';
import { RISKS, ROLES } from './model.ts';
import type { Role } from './model.ts';

/** Who may call what, written out: a change of a procedure's metadata has to be made here too. */
const WHO_MAY: Readonly<Record<string, string>> = {
  'agents.spawn': 'operator automation',
  'agents.list': 'operator automation observer',
  'agents.get': 'operator automation observer',
  'agents.update': 'operator automation',
  'agents.start': 'operator automation',
  'agents.stop': 'operator automation',
  'agents.restart': 'operator automation',
  'agents.pause': 'operator automation',
  'agents.resume': 'operator automation',
  'agents.remove': 'operator',
  'agents.stopAll': 'operator',
  'agents.health': 'operator automation observer',
  'agents.metrics': 'operator automation observer',
  'agents.adoptable': 'operator automation',
  'agents.adopt': 'operator',
  'agents.discover': 'operator automation observer coordinator agent',
  'agents.report': 'coordinator agent',
  'agents.templates': 'operator automation observer',
  'auth.whoami': 'operator automation observer coordinator agent',
  'auth.createLoginLink': 'operator',
  'auth.createToken': 'operator',
  'auth.listTokens': 'operator',
  'auth.changeTokenRole': 'operator',
  'auth.revokeToken': 'operator',
  'boundary.get': 'operator automation observer',
  'boundary.proofs': 'operator automation observer',
  'boundary.prove': 'operator automation',
  'workspaces.get': 'operator automation observer',
  'workspaces.fetch': 'operator automation',
  'workspaces.remove': 'operator',
  'egress.get': 'operator automation observer',
  'egress.set': 'operator',
  'egress.connections': 'operator automation observer',
  'egress.proposals': 'operator automation observer',
  'egress.modelApis': 'operator automation observer',
  'egress.setModelApis': 'operator',
  'enrolments.register': 'agent coordinator applicant',
  'enrolments.createCode': 'operator',
  'enrolments.list': 'operator',
  'enrolments.revokeCode': 'operator',
  'enrolments.decide': 'operator',
  'journal.snapshot': 'operator automation observer',
  'journal.follow': 'operator automation observer',
  'journal.list': 'operator automation observer',
  'journal.verify': 'operator automation observer',
  'middleware.get': 'operator automation observer',
  'middleware.set': 'operator',
  'middleware.tryOut': 'operator',
  'middleware.modules': 'operator automation observer',
  'middleware.module': 'operator',
  'middleware.accept': 'operator',
  'messages.send': 'operator automation coordinator agent',
  'messages.inbox': 'operator automation observer coordinator agent',
  'messages.wait': 'operator coordinator agent',
  'messages.markRead': 'operator coordinator agent',
  'messages.extend': 'coordinator agent',
  'messages.release': 'coordinator agent',
  'messages.request': 'operator coordinator agent',
  'messages.cancel': 'operator automation coordinator agent',
  'messages.dead': 'operator automation observer',
  'messages.retry': 'operator',
  'messages.queues': 'operator automation observer',
  'messages.list': 'operator automation observer',
  'messages.counts': 'operator automation observer',
  'messages.get': 'operator automation observer',
  'provenance.verify': 'operator automation observer coordinator agent',
  'provenance.proof': 'operator automation observer coordinator agent',
  'provenance.keys': 'operator automation observer coordinator agent',
  'provenance.rotate': 'operator',
  'provenance.verifyAll': 'operator automation observer',
  'projects.open': 'operator automation',
  'projects.browse': 'operator automation',
  'projects.list': 'operator automation observer',
  'projects.get': 'operator automation observer',
  'runtimes.list': 'operator automation observer',
  'runtimes.images': 'operator automation observer',
  'runtimes.makeImage': 'operator automation',

  'secrets.set': 'operator',
  'secrets.list': 'operator',
  'secrets.remove': 'operator',
  'sessions.list': 'operator automation observer',
  'settings.get': 'operator automation observer',
  'settings.update': 'operator',
  'system.info': 'operator automation observer',
  'system.stats': 'operator automation observer',
  'system.doctor': 'operator automation observer',
  'system.shutdown': 'operator',
  'teams.up': 'operator automation',
  'teams.sample': 'operator automation',
  'terminals.capture': 'operator automation observer',
  'terminals.write': 'operator',
  'terminals.resize': 'operator automation',
  'terminals.status': 'operator automation observer',
  'attachments.put': 'operator automation coordinator agent',
  'attachments.get': 'operator automation observer coordinator agent',
  'retention.get': 'operator automation observer',
  'retention.set': 'operator',
  'retention.preview': 'operator automation observer',
  'retention.apply': 'operator',
  'search.messages': 'operator automation observer coordinator agent',
  'sessions.get': 'operator automation observer',
  'sessions.mirrors': 'operator automation observer',
  'sessions.placeMirror': 'operator',
  'sessions.import': 'operator',
  'sessions.exportPage': 'operator automation observer',
  'topics.subscribe': 'operator automation coordinator agent',
  'topics.unsubscribe': 'operator automation coordinator agent',
  'topics.list': 'operator automation observer coordinator agent',
};

/** Procedures that are no MCP tool, and why. */
const NO_TOOL: Readonly<Record<string, string>> = {
  'auth.createLoginLink': 'a model must not log browsers in',
  'auth.createToken': 'a model must not see or hand out tokens',
  'auth.listTokens': 'belongs to the one above',
  'auth.changeTokenRole': 'a model must not raise its own rights',
  'auth.revokeToken': 'belongs to the one above',
  'journal.snapshot': 'the whole state is for windows; list_agents and list_projects answer a model',
  'journal.follow': 'a stream',
  'secrets.set': 'a secret must not pass through a model',
  'secrets.list': 'belongs to the one above',
  'secrets.remove': 'belongs to the one above',
  'system.shutdown': 'a model must not end the core under itself',
  'terminals.resize': 'only a window has a size',
};

/** Commands without an idempotency key, and why repeating them does no harm. */
const NO_KEY: Readonly<Record<string, string>> = {
  'enrolments.register': 'the code, the request and the token each stand for one agent',
  'enrolments.revokeCode': 'a revoked code stays revoked',
  'enrolments.decide': 'deciding the same again changes nothing',
  'agents.report': 'says the same again',
  'auth.changeTokenRole': 'sets the same role again',
  'auth.revokeToken': 'what is revoked stays revoked',
  'messages.wait': 'hands out what was not handed out; get_messages lists the rest after a lost answer',
  'messages.markRead': 'what is acknowledged stays acknowledged',
  'messages.extend': 'the lease ends so long after the last of them',
  'messages.release': 'gives back what is held, and nothing else',
  'messages.cancel': 'what was taken back stays so',
  'messages.retry': 'copies that live are left alone',
  'secrets.set': 'sets the same value again; with a key a hash of the value would be kept',
  'secrets.remove': 'what is gone stays gone',
  'settings.update': 'sets the same values again',
  'system.shutdown': 'ends once',
  'terminals.resize': 'sets the same size again',
  'topics.subscribe': 'what is subscribed stays subscribed',
  'topics.unsubscribe': 'what is ended stays ended',
};

/** What is read of a procedure's definition. */
interface Definition {
  readonly meta: ProcedureMeta;
  readonly route: Procedure['route'];
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
}

interface Procedure {
  readonly name: string;
  readonly meta: ProcedureMeta;
  readonly route: { readonly method?: string; readonly path?: string; readonly summary?: string; readonly description?: string };
  readonly input: unknown;
  readonly output: unknown;
}

const features: Readonly<Record<string, Readonly<Record<string, { readonly '~orpc': Definition }>>>> = contract;

const procedures: readonly Procedure[] = Object.entries(features).flatMap(([feature, group]) =>
  Object.entries(group).map(([name, procedure]) => {
    const definition = procedure['~orpc'];
    return {
      name: `${feature}.${name}`,
      meta: definition.meta,
      route: definition.route,
      input: definition.inputSchema,
      output: definition.outputSchema,
    };
  }),
);

function allowed(meta: ProcedureMeta): Role[] {
  return ROLES.filter((role) => refusalFor(role, meta) === undefined);
}

describe('who may call what', () => {
  it('is stated for every procedure of the contract, and for nothing else', () => {
    expect(procedures.map(({ name }) => name).sort()).toEqual(Object.keys(WHO_MAY).sort());
  });

  it.each(procedures)('$name', ({ name, meta }) => {
    expect(allowed(meta).sort()).toEqual(WHO_MAY[name]?.split(' ').sort());
  });
});

describe('the rule', () => {
  const meta = (changes: Partial<ProcedureMeta>): ProcedureMeta => ({
    audience: 'both',
    toolset: 'full',
    role: 'observer',
    risk: 'LOW',
    isReadOnly: true,
    ...changes,
  });

  it('lets no role beyond its risk', () => {
    const most = Object.fromEntries(
      ROLES.map((role) => [role, RISKS.filter((risk) => refusalFor(role, meta({ risk })) === undefined).at(-1)]),
    );
    expect(most).toEqual({ operator: 'CRITICAL', coordinator: 'MEDIUM', agent: 'LOW', observer: 'LOW', automation: 'MEDIUM' });
  });

  it('leaves to who has no token what is open to him, and nothing else', () => {
    expect(refusalFor('applicant', meta({}))?.reason).toContain('needs a token');
    expect(refusalFor('applicant', meta({ isForApplicants: true }))).toBeUndefined();
    expect(refusalFor('applicant', meta({ isForApplicants: true, audience: 'manage' }))).toBeDefined();
  });

  it('keeps the interfaces apart, and says which one', () => {
    expect(ROLES.filter((role) => audienceOf(role) === 'agent')).toEqual(['coordinator', 'agent', 'applicant']);
    expect(refusalFor('operator', meta({ audience: 'agent' }))?.reason).toContain('agent interface');
    expect(refusalFor('agent', meta({ audience: 'manage' }))?.reason).toContain('management interface');
    expect(refusalFor('observer', meta({ role: 'automation' }))?.reason).toContain('needs role "automation"');
    expect(refusalFor('automation', meta({ risk: 'HIGH' }))?.reason).toContain('at most MEDIUM');
  });

  it('refuses a role it does not know', () => {
    // As a damaged row or an older client might bring.
    const stranger = 'admin' as Role;
    expect(refusalFor(stranger, meta({}))).toBeDefined();
  });
});

describe('the contract', () => {
  it('lists at most 25 core tools on each interface, enough to understand at a glance', () => {
    for (const side of ['manage', 'agent'] as const) {
      const core = procedures.filter(
        ({ meta }) => meta.tool !== undefined && isCoreTool(meta, side) && (meta.audience === 'both' || meta.audience === side),
      );
      expect(core.length).toBeGreaterThan(0);
      expect(core.length).toBeLessThanOrEqual(25);
    }
  });

  it('names each tool once, in words', () => {
    const tools = procedures.flatMap(({ meta }) => meta.tool ?? []);
    expect(new Set(tools).size).toBe(tools.length);
    for (const tool of tools) expect(tool).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });

  it('makes a tool of every procedure, or says why not', () => {
    expect(
      procedures
        .filter(({ meta }) => meta.tool === undefined)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(NO_TOOL).sort());
  });

  it('rates every command on its own, and no read above LOW', () => {
    for (const { name, meta } of procedures) {
      expect([name, RISKS]).toEqual([name, expect.arrayContaining([meta.risk])]);
      expect([name, !meta.isReadOnly || meta.risk === 'LOW']).toEqual([name, true]);
      // A command that an observer may call would be a slip.
      expect([name, !meta.isReadOnly && allowed(meta).includes('observer')]).toEqual([name, false]);
    }
  });

  it('lets every command be repeated safely: by a key, or by what it does', () => {
    const withoutKey = procedures.filter(
      ({ meta, input }) =>
        !meta.isReadOnly && !('idempotencyKey' in (z.toJSONSchema(input as z.ZodType, { io: 'input' }).properties ?? {})),
    );
    expect(withoutKey.map(({ name }) => name).sort()).toEqual(Object.keys(NO_KEY).sort());
  });

  it('has one procedure per method and path', () => {
    // Two paths that differ only in the name of a parameter are the same to a router.
    const routes = procedures.map(({ route }) => `${route.method ?? ''} ${(route.path ?? '').replace(/\{[^}]+\}/g, '{}')}`);
    expect(new Set(routes).size).toBe(routes.length);
    for (const { name, route } of procedures)
      expect([name, route.method, route.path]).toEqual([name, expect.stringMatching(/^[A-Z]+$/), expect.stringMatching(/^\//)]);
  });

  it('takes every path parameter from its input', () => {
    for (const { name, route, input } of procedures) {
      const parameters = [...(route.path ?? '').matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');
      const schema = z.toJSONSchema(input as z.ZodType, { io: 'input' });
      expect([name, parameters.filter((parameter) => !schema.required?.includes(parameter))]).toEqual([name, []]);
    }
  });

  it.each(procedures)(
    '$name has schemas that convert to JSON schema, and a paragraph that explains it',
    ({ name, input, output, route }) => {
      const schema = z.toJSONSchema(input as z.ZodType, { io: 'input' });
      // MCP and OpenAPI want an object, and nothing undeclared may slip through.
      expect([schema.type, schema.additionalProperties]).toEqual(['object', false]);
      // A stream of events is no schema of zod's.
      const answers = output instanceof z.ZodType ? [z.toJSONSchema(output, { io: 'output', unrepresentable: 'any' }).type] : [];
      expect([name, answers]).toEqual([name, name === 'journal.follow' ? [] : ['object']]);
      expect(route.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(route.description).toMatch(/^[A-Z][^\n]{18,}\.$/);
    },
  );
});
