/** For specs: bad input, and the clear error that every door answers with. */

/** One case: what is asked, by procedure, route and tool, and what is answered. */
export interface BadCase {
  readonly what: string;
  readonly procedure: string;
  readonly method: string;
  readonly path: string;
  readonly tool: string;
  readonly input: Record<string, unknown>;
  readonly code: string;
  readonly status: number;
  readonly says: RegExp;
}

/** Each case, for every door that has it. */
export const BAD_CASES: readonly BadCase[] = [
  {
    what: 'an unknown agent',
    procedure: 'agents.get',
    method: 'GET',
    path: '/agents/nobody',
    tool: 'get_agent',
    input: { id: 'nobody' },
    code: 'NOT_FOUND',
    status: 404,
    says: /no agent "nobody"/,
  },
  {
    what: 'a message to an unknown agent',
    procedure: 'messages.send',
    method: 'POST',
    path: '/messages',
    tool: 'send_message',
    input: { to: 'nobody', body: 'hello' },
    code: 'NOT_FOUND',
    status: 404,
    says: /nobody/,
  },
  {
    what: 'a type that is none',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { type: 'robot' },
    code: 'BAD_REQUEST',
    status: 400,
    says: /type.*"?worker"?.*"?command"?/,
  },
  {
    what: 'a command without its program',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { id: 'bare', type: 'command' },
    code: 'BAD_REQUEST',
    status: 400,
    says: /"command" is required for type "command".*\["bash", "-l"\]/,
  },
  {
    what: 'a limit without a unit that is one',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { type: 'worker', resourceLimits: { memory: '2 elephants' } },
    code: 'BAD_REQUEST',
    status: 400,
    says: /resourceLimits\.memory.*"512MB"/,
  },
  {
    what: 'a field that is none',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { type: 'worker', colour: 'red' },
    code: 'BAD_REQUEST',
    status: 400,
    says: /colour/,
  },
  {
    what: 'a reserved variable',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { type: 'worker', environment: { LD_PRELOAD: '/x.so' } },
    code: 'BAD_REQUEST',
    status: 400,
    says: /environment.*reserved/,
  },
  {
    what: 'an id that is taken by another configuration',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { id: 'printer', type: 'command', command: ['true'] },
    code: 'CONFLICT',
    status: 409,
    says: /"printer"/,
  },
  {
    what: 'a program that is not there',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { type: 'command', command: ['no-such-program-anywhere'] },
    code: 'UNAVAILABLE',
    status: 503,
    says: /no-such-program-anywhere/,
  },
  {
    what: 'an unknown template',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { template: 'nothing' },
    code: 'NOT_FOUND',
    status: 404,
    says: /batch-worker/,
  },
  {
    what: 'a folder that is not there',
    procedure: 'agents.spawn',
    method: 'POST',
    path: '/agents',
    tool: 'spawn_agent',
    input: { type: 'worker', projectFolder: '/no/such/folder' },
    code: 'NOT_FOUND',
    status: 404,
    says: /\/no\/such\/folder/,
  },
];
