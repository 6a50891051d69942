/** Where contained agents may connect to. Everything that no rule allows is refused. */
import * as z from 'zod';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';

/** What is spoken through a connection: tls (its server name is checked), http (its Host is checked), tcp (any bytes). */
export const EgressProtocol = z.enum(['tls', 'http', 'tcp']);
/** What is spoken through a connection. */
export type EgressProtocol = z.infer<typeof EgressProtocol>;

/** A host name, or `*.` and a name for every name below it (not the name itself). IP addresses are taken for tcp only. */
const HOST = /^(\*\.)?(?=.{1,253}:)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*:/;

/** A rule as it is written: `host:port:protocol`, for example `api.github.com:443:tls` or `*.example.org:443:tls`. */
export const EgressRule = z
  .string()
  .max(300)
  .refine((text) => parseRule(text) !== undefined, 'must be host:port:protocol such as "api.github.com:443:tls"')
  .describe('host:port:protocol, protocol being tls, http or tcp; "*.example.org" stands for every name below example.org');
/** A rule as it is written. */
export type EgressRule = z.infer<typeof EgressRule>;

/** A rule in its parts. */
export interface ParsedRule {
  /** Lower case; with a leading `*.` it stands for every name below. */
  readonly host: string;
  readonly port: number;
  readonly protocol: EgressProtocol;
}

/** The parts of a rule; undefined when it is none. */
export function parseRule(text: string): ParsedRule | undefined {
  if (!HOST.test(text)) return undefined;
  const [host = '', portText = '', protocolText = '', ...rest] = text.split(':');
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  const protocol = EgressProtocol.safeParse(protocolText);
  if (port < 1 || port > 65_535 || !protocol.success || rest.length > 0) return undefined;
  return { host, port, protocol: protocol.data };
}

/** Whether a rule's host covers a name. Both in lower case, without a dot at the end. */
export function coversHost(pattern: string, name: string): boolean {
  return pattern.startsWith('*.') ? name.length > pattern.length - 1 && name.endsWith(pattern.slice(1)) : name === pattern;
}

/** deny: what no rule allows is refused. learn: the same, and what was refused is proposed as rules. Never lets anything through. */
export const EgressMode = z
  .enum(['deny', 'learn'])
  .describe('deny: what no rule allows is refused. learn: refused as well, and proposed as a rule for the operator to accept');
/** How refusals are treated. */
export type EgressMode = z.infer<typeof EgressMode>;

/** One connection that an agent opened or tried to open. */
export const EgressConnection = z.object({
  /** Counts up within a gateway's log; together with `gatewayId` it names the connection. */
  id: z.number().int().positive(),
  projectId: ProjectId,
  agentId: AgentId,
  /** connect: through the proxy; model-api: to a model API, with the key added outside. */
  via: z.enum(['connect', 'http', 'model-api']),
  host: z.string(),
  port: z.number().int(),
  protocol: EgressProtocol,
  /** The address that was checked and used; null when it was refused before. */
  address: z.string().nullable(),
  outcome: z.enum(['open', 'closed', 'refused', 'failed']),
  /** The rule that let it through, or why it was refused or failed, in a sentence. */
  reason: z.string(),
  at: z.number().int(),
  /** Milliseconds from the first byte asked to the end; null while it is open. */
  durationMs: z.number().int().nullable(),
  /** Bytes from the agent, and to it. */
  sentBytes: z.number().int(),
  receivedBytes: z.number().int(),
});
/** One connection. */
export type EgressConnection = z.infer<typeof EgressConnection>;

/** The reason of a refusal that a rule would have prevented, exactly so: proposals are made of these and of no others. */
export const NO_RULE = 'no rule allows it';

/** A rule that would have allowed what was refused. */
export const EgressProposal = z.object({
  agentId: AgentId,
  rule: EgressRule,
  /** How often it was refused, and when last. */
  count: z.number().int(),
  lastAt: z.number().int(),
});
/** A rule that would have allowed what was refused. */
export type EgressProposal = z.infer<typeof EgressProposal>;

/** A model API that the gateway serves to agents as plain HTTP inside, adding the key outside. */
export const ModelApi = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be a name such as "anthropic"')
    .describe('Its name, and the first part of its path inside: http://127.0.0.1:3129/<name>'),
  upstream: z.url({ protocol: /^https?$/ }).describe('Base URL outside, for example https://api.anthropic.com'),
  /** The header that carries the key; `authorization` gets "Bearer " before it. */
  header: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/, 'must be the name of a header in lower case such as "x-api-key"'),
  secret: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'must be the name of a secret such as ANTHROPIC_API_KEY'),
  /** Environment variable that tells the agent where the API is inside, for example ANTHROPIC_BASE_URL. */
  variable: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'must be the name of a variable such as ANTHROPIC_BASE_URL'),
  /** What its own CLIs need beside it to start at all, never a real key: for example ANTHROPIC_API_KEY=held-by-the-gateway. */
  placeholder: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .optional(),
});
/** A model API. */
export type ModelApi = z.infer<typeof ModelApi>;

/** The model APIs there are where the operator changed nothing. */
export const DEFAULT_MODEL_APIS: readonly ModelApi[] = [
  {
    name: 'anthropic',
    upstream: 'https://api.anthropic.com',
    header: 'x-api-key',
    secret: 'ANTHROPIC_API_KEY',
    variable: 'ANTHROPIC_BASE_URL',
    placeholder: 'ANTHROPIC_API_KEY',
  },
  {
    name: 'openai',
    upstream: 'https://api.openai.com',
    header: 'authorization',
    secret: 'OPENAI_API_KEY',
    variable: 'OPENAI_BASE_URL',
    placeholder: 'OPENAI_API_KEY',
  },
];

/** What agents are given where a CLI insists on a key: not one. */
export const PLACEHOLDER_KEY = 'held-by-the-gateway';
