/** Agents from outside: the codes that let them in, and their requests to be let in without one. */
import * as z from 'zod';
import { Capability, HeartbeatMs } from '#shared/agents/model.ts';
import { AgentId, EnrolmentCodeId, EnrolmentRequestId, ProjectId } from '#shared/kernel/ids.ts';
import { isPlainName } from '#shared/kernel/plain-name.ts';

/** How long a code is good unless stated, and the shortest and longest time that may be stated, in milliseconds. */
export const CODE_TTL_MS = { default: 15 * 60_000, least: 10_000, most: 24 * 3_600_000 } as const;
/** How long the operator has to decide on a request, and the agent to come back after the decision, in milliseconds. */
export const REQUEST_TTL_MS = 10 * 60_000;
/** Requests that wait at once from one address, and in all: a program in a loop cannot bury the operator. */
export const MAX_PENDING = { perAddress: 5, inAll: 20 } as const;
/** The most capabilities and specialities that one agent states. */
const MAX_SKILLS = 32;

const Skills = z.array(Capability).max(MAX_SKILLS);
const Name = z
  .string()
  .trim()
  .min(1)
  .max(80)
  .refine((text) => !/\p{Cc}/u.test(text), 'must be one line without control characters');
const Note = z.string().trim().max(400);

/** A code as it is shown: never the code itself. */
export const EnrolmentCode = z.object({
  id: EnrolmentCodeId,
  /** Null: for whatever project the agent names. */
  projectId: ProjectId.nullable(),
  /** The id that the agent gets; null: one of its choice. */
  agentId: AgentId.nullable(),
  /** What it may state at most; null: anything. */
  capabilities: Skills.nullable(),
  note: z.string(),
  createdAt: z.number().int(),
  expiresAt: z.number().int(),
  revokedAt: z.number().int().nullable(),
  usedAt: z.number().int().nullable(),
  /** The agent that came with it. */
  usedBy: AgentId.nullable(),
});
/** A code as it is shown. */
export type EnrolmentCode = z.infer<typeof EnrolmentCode>;

/** What an agent from outside says of itself. Nothing of it is checked by anybody. */
export const EnrolmentWish = z.object({
  name: Name,
  /** The id it would like. */
  agentId: AgentId.nullable(),
  /** Id or name of the project it would like to work in. */
  project: z.string().max(200).nullable(),
  capabilities: Skills,
  specialisations: Skills,
  note: Note,
  heartbeatMs: HeartbeatMs,
});
/** What an agent from outside says of itself. */
export type EnrolmentWish = z.infer<typeof EnrolmentWish>;

/** A request that the operator decides on. */
export const EnrolmentRequest = z.object({
  id: EnrolmentRequestId,
  projectId: ProjectId,
  status: z.enum(['pending', 'approved', 'denied', 'expired']),
  wish: EnrolmentWish,
  /** Where it called from. */
  address: z.string(),
  /** A few characters that the agent was told as well, so that people can tell two requests apart. */
  check: z.string(),
  requestedAt: z.number().int(),
  expiresAt: z.number().int(),
  /** The agent that was made of it. */
  agentId: AgentId.nullable(),
});
/** A request that the operator decides on. */
export type EnrolmentRequest = z.infer<typeof EnrolmentRequest>;

/** What `register_agent` takes. */
export const RegisterInput = z.strictObject({
  code: z.string().max(100).optional().describe('The one-time code the operator gave you. Without one the operator is asked'),
  requestId: z.string().max(100).optional().describe('What an earlier call returned as requestId: asks how that request stands'),
  clientKey: z
    .string()
    .min(16)
    .max(200)
    .optional()
    .describe(
      'A random text that only you know. Repeating the call with the same code and the same clientKey while the code is good returns the same agent, should the first answer have been lost',
    ),
  id: AgentId.optional().describe(
    'The agent id you would like, for example "api-tests"; one is made from the name when left out',
  ),
  name: Name.refine(isPlainName, 'must show as it is written: without characters that are invisible or turn its order')
    .optional()
    .describe('What you are called, for example "Claude Code in api". Needed to enrol'),
  capabilities: Skills.optional().describe('What you can do, as lower-case words; others find you by them'),
  specialisations: Skills.optional().describe('What you are best at; found like capabilities'),
  project: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Id or name of the project to work in; left out, that of the code, else the one opened last'),
  note: Note.optional().describe('What the operator should know about you, in a sentence'),
  heartbeatMs: HeartbeatMs.optional().describe(
    'You call at least this often, in milliseconds; 60000 when left out. After three times as long without a call you count as lost, until you call again. A wait_for_messages under way counts',
  ),
  waitMs: z
    .number()
    .int()
    .min(0)
    .max(50_000)
    .default(20_000)
    .describe('How long to wait for the decision of the operator before answering "pending"'),
});
/** What `register_agent` takes. */
export type RegisterInput = z.infer<typeof RegisterInput>;

/** What `register_agent` answers. */
export const Registration = z.object({
  /** enrolled: you are an agent; pending: the operator has not decided; denied, expired: nothing came of the request. */
  status: z.enum(['enrolled', 'pending', 'denied', 'expired']),
  agentId: AgentId.nullable(),
  projectId: ProjectId.nullable(),
  /** The token, this one time; null when you called with yours, and while nothing is decided. */
  token: z.string().nullable(),
  /** To ask again with; null once it is decided. Keep it to yourself: whoever has it gets the token. */
  requestId: z.string().nullable(),
  /** What the operator sees beside the request. */
  check: z.string().nullable(),
  heartbeatMs: z.number().int().nullable(),
  /** What to do now. */
  next: z.string(),
});
/** What `register_agent` answers. */
export type Registration = z.infer<typeof Registration>;
