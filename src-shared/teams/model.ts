/** A team file: agents that belong together, and the messages that set them to work. */
import * as z from 'zod';
import { AgentDraft } from '#shared/agents/model.ts';
import { Json } from '#shared/kernel/json.ts';
import { MAX_BODY_CHARS, MessageKind, Priority } from '#shared/messages/model.ts';

/** An agent of a team: a draft with an id, optionally made from a template. */
export const TeamAgent = AgentDraft.omit({ projectId: true })
  .extend({ template: z.string().max(64).optional() })
  .required({ id: true });

/** A message sent when the team is up. A text in `data` equal to "@<id>" becomes the real id of that agent. */
export const TeamStart = z.strictObject({
  to: z.string().max(64),
  kind: MessageKind.default('task'),
  priority: Priority.default('normal'),
  subject: z.string().max(200).optional(),
  body: z.string().min(1).max(MAX_BODY_CHARS),
  data: Json.optional(),
});

/** A team file. */
export const Team = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be a slug such as "sample-crew"'),
  description: z.string().max(500).default(''),
  agents: z.array(TeamAgent).min(1).max(100),
  start: z.array(TeamStart).max(100).default([]),
});
/** A team file. */
export type Team = z.infer<typeof Team>;
