/** AgentFlow's REST paths as a thin table over the contract's procedures. Response shapes are written down in docs/rest.md. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { MessageKind, BROADCAST } from '#shared/messages/model.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { Caller } from '#core/caller.ts';
import { isWireError } from '#core/rpc/errors.ts';
import type { Rpc } from '#core/rpc/router.ts';
import { MAX_BODY_BYTES, readJson } from './body.ts';
import { sendHttpError, sendJson, sendMethodError } from './respond.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One request, as the table's entries see it. */
interface Compat {
  /** The agent's id, for paths that have one. */
  readonly id: string;
  readonly body: Fields;
  readonly query: Fields;
  /** Calls a procedure, as the caller, through the whole chain. */
  readonly invoke: (name: string, input: Fields) => Promise<unknown>;
}

/** What an entry answers: a body, and the status when it is not 200. */
interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

type Entry = ((compat: Compat) => Promise<Answer>) | { readonly missing: string };

/** Lifecycle operations and what they are here. */
const OPERATIONS: Readonly<Record<string, string>> = {
  start: 'agents.start',
  stop: 'agents.stop',
  pause: 'agents.pause',
  resume: 'agents.resume',
  restart: 'agents.restart',
};
/** Lifecycle operations that are not there yet. */
const LATER: ReadonlySet<string> = new Set(['checkpoint', 'rollback']);
/** Which agents a clean-up removes: those without a process. */
const CLEANED = ['stopped', 'failed', 'created'];

const Bulk = z.object({ operation: z.string(), agentIds: z.array(z.string()).min(1).max(500) });
const Listed = z.object({ agents: z.array(z.object({ id: z.string() })) });
const Summary = z.object({ id: z.string(), projectId: z.string(), state: z.unknown(), says: z.unknown(), unread: z.number() });
const Projects = z.object({ projects: z.array(z.object({ id: z.string(), name: z.string() })) });

/** Path patterns under /api, and what each method does. */
const TABLE: readonly { readonly path: RegExp; readonly methods: Readonly<Record<string, Entry>> }[] = [
  {
    path: /^\/agents\/create$/,
    methods: {
      POST: async (compat) => ({ status: 201, body: { agent: await compat.invoke('agents.spawn', await withProject(compat)) } }),
    },
  },
  {
    path: /^\/agents$/,
    methods: {
      GET: async ({ invoke, query }) => ({ body: await invoke('agents.list', query) }),
      POST: bulk,
      DELETE: cleanUp,
    },
  },
  {
    path: /^\/agents\/(?<id>[^/]+)$/,
    methods: {
      GET: async ({ invoke, id }) => ({ body: { agent: await invoke('agents.get', { id }) } }),
      PUT: async ({ invoke, id, body }) => ({ body: { agent: await invoke('agents.update', { id, changes: body }) } }),
      DELETE: async ({ invoke, id }) => ({ body: await invoke('agents.remove', { id }) }),
      PATCH: async (compat) => ({
        body: { agent: await operate(compat, compat.id, compat.body['operation'], { ...compat.body, operation: undefined }) },
      }),
    },
  },
  {
    path: /^\/agents\/(?<id>[^/]+)\/status$/,
    methods: {
      GET: async ({ invoke, id }) => {
        const { state, says, unread } = Summary.parse(await invoke('agents.get', { id }));
        return { body: { id, state, says, unread } };
      },
      // An agent reports for itself only: who it is follows from its token, on the agent interface.
      POST: async ({ invoke, body }) => ({ body: await invoke('agents.report', body) }),
      PUT: { missing: 'A state follows from evidence and cannot be forced.' },
    },
  },
  {
    path: /^\/agents\/(?<id>[^/]+)\/messages$/,
    methods: {
      GET: async ({ invoke, id, query }) => ({ body: await invoke('messages.list', { ...query, participant: id }) }),
      POST: async ({ invoke, id, body }) => ({
        status: 201,
        body: await invoke('messages.send', { ...asMessage(body), to: id }),
      }),
      PUT: async ({ invoke, id, body }) => {
        const { projectId } = Summary.parse(await invoke('agents.get', { id }));
        return { status: 201, body: await invoke('messages.send', { ...asMessage(body), to: BROADCAST, projectId }) };
      },
      DELETE: { missing: 'Messages are never deleted: only their recipient takes them out of its inbox, by acknowledging them.' },
      PATCH: async ({ invoke, id, body }) => {
        if (id !== 'operator')
          throw new Missing('Only the recipient acknowledges its messages; use /api/agents/operator/messages for your own.');
        return { body: await invoke('messages.markRead', body) };
      },
    },
  },
  {
    path: /^\/orchestrator$/,
    methods: {
      GET: async ({ invoke }) => ({ body: { system: await invoke('system.info', {}), stats: await invoke('system.stats', {}) } }),
      POST: async ({ invoke, body }) => {
        const { operation, ...input } = body;
        if (operation === 'stop-all') return { body: await invoke('agents.stopAll', input) };
        if (operation === 'start-sample') return { body: await invoke('teams.sample', input) };
        throw new AppError('BAD_REQUEST', '"operation" must be "stop-all" or "start-sample".', {
          data: { fields: ['operation'] },
        });
      },
      PUT: { missing: "The core's settings are given at its start." },
      DELETE: async ({ invoke, body }) => ({ status: 202, body: await invoke('system.shutdown', body) }),
    },
  },
];

/** Something of AgentFlow that is not there. */
class Missing extends Error {}

/** Serves AgentFlow's paths. */
export class AgentFlowDoor {
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** Whether a path (with /api) is one of AgentFlow's. */
  knows(pathname: string): boolean {
    return find(pathname) !== undefined;
  }

  /** Answers one request. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL, caller: Caller): Promise<void> {
    const found = find(url.pathname);
    if (found === undefined) throw new AppError('NOT_FOUND', `There is no "${url.pathname.slice(0, 200)}".`);
    const entry = found.methods[request.method ?? ''];
    if (entry === undefined) {
      sendMethodError(response, request.method, Object.keys(found.methods));
      return;
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const body = z.record(z.string(), z.unknown()).safeParse((await readJson(request, response, MAX_BODY_BYTES)) ?? {});
    if (!body.success) throw new AppError('BAD_REQUEST', 'The body must be a JSON object.');
    try {
      if (typeof entry !== 'function') throw new Missing(entry.missing);
      const answer = await entry({
        id: found.id,
        body: body.data,
        query: numbersIn(Object.fromEntries(url.searchParams)),
        invoke: async (name, input) => await this.#rpc.invoke(name, input, caller, gone.signal),
      });
      sendJson(response, answer.status ?? 200, answer.body);
    } catch (error) {
      if (error instanceof Missing)
        sendHttpError(response, 501, 'NOT_IMPLEMENTED', `This is not part of this version. ${error.message}`);
      else if (isWireError(error)) sendJson(response, error.status, error.toJSON());
      else throw error;
    }
  }
}

function find(pathname: string): { methods: Readonly<Record<string, Entry>>; id: string } | undefined {
  for (const { path, methods } of TABLE) {
    const match = pathname.startsWith('/api/') ? path.exec(pathname.slice('/api'.length).replace(/\/$/, '')) : null;
    if (match) return { methods, id: decoded(match.groups?.['id'] ?? '') };
  }
  return undefined;
}

/** A broken escape stays as it is: no agent has such an id. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function operate({ invoke }: Pick<Compat, 'invoke'>, id: string, operation: unknown, rest: Fields = {}): Promise<unknown> {
  if (typeof operation === 'string' && LATER.has(operation)) throw new Missing(`There is no operation "${operation}" yet.`);
  const procedure = typeof operation === 'string' && Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
  if (procedure === undefined) {
    throw new AppError('BAD_REQUEST', `"operation" must be one of ${[...Object.keys(OPERATIONS), ...LATER].join(', ')}.`, {
      data: { fields: ['operation'] },
    });
  }
  return await invoke(procedure, { ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)), id });
}

async function bulk(compat: Compat): Promise<Answer> {
  const input = Bulk.safeParse(compat.body);
  if (!input.success)
    throw new AppError(
      'BAD_REQUEST',
      'Send {"operation": "start" | "stop" | "pause" | "resume" | "restart" | "remove", "agentIds": ["…"]}.',
    );
  const { operation, agentIds } = input.data;
  const results = [];
  for (const id of agentIds) {
    const one = operation === 'remove' ? compat.invoke('agents.remove', { id }) : operate(compat, id, operation);
    results.push(await outcomeOf(id, one));
  }
  return { body: { results } };
}

async function cleanUp({ invoke }: Compat): Promise<Answer> {
  const results = [];
  for (const status of CLEANED) {
    const { agents } = Listed.parse(await invoke('agents.list', { status, limit: 500 }));
    for (const { id } of agents) results.push(await outcomeOf(id, invoke('agents.remove', { id })));
  }
  return { body: { results } };
}

/** What became of one agent of many; what is wrong with the request itself is thrown on. */
async function outcomeOf(id: string, work: Promise<unknown>): Promise<Fields> {
  try {
    await work;
    return { id, ok: true };
  } catch (error) {
    if (error instanceof Missing || error instanceof AppError) throw error;
    return {
      id,
      ok: false,
      error: isWireError(error) ? { code: error.code, message: error.message } : { code: 'INTERNAL', message: messageOf(error) },
    };
  }
}

/** AgentFlow names projects freely: a name is looked up, an id stays. */
async function withProject({ invoke, body }: Compat): Promise<Fields> {
  const wanted = body['projectId'];
  if (typeof wanted !== 'string' || wanted.startsWith('prj_')) return body;
  const { projects } = Projects.parse(await invoke('projects.list', {}));
  const found = projects.find(({ name }) => name === wanted);
  if (found === undefined)
    throw new AppError(
      'BAD_REQUEST',
      `There is no project named "${wanted.slice(0, 100)}". Open its folder first: POST /api/v1/projects {"folder": "/absolute/path", "name": "…"}.`,
      { data: { fields: ['projectId'] } },
    );
  return { ...body, projectId: found.id };
}

/** Ours has a `body`; AgentFlow's messages are free objects with a `type`: such a one travels whole, as data. */
function asMessage(body: Fields): Fields {
  if (typeof body['body'] === 'string') return body;
  const kind = MessageKind.safeParse(body['type']);
  const text = typeof body['action'] === 'string' && body['action'] !== '' ? body['action'] : JSON.stringify(body);
  return { kind: kind.success ? kind.data : 'note', body: text, data: body };
}

function numbersIn(query: Readonly<Record<string, string>>): Fields {
  return Object.fromEntries(
    Object.entries(query).map(([name, text]) => [name, name === 'limit' && /^\d+$/.test(text) ? Number(text) : text]),
  );
}
