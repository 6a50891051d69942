/** The JSON schemas of files that people write: made from the same zod schemas that read them. */
import * as z from 'zod';
import { AgentTemplate } from '#shared/agents/model.ts';
import { Team } from '#shared/teams/model.ts';

/** Text of each schema file in `assets/schemas`, by name. */
export function schemaFiles(): Readonly<Record<string, string>> {
  const text = (title: string, schema: z.ZodType): string =>
    `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: 'input' }) }, undefined, 2)}\n`;
  return {
    'agent-template.schema.json': text('Quarterdeck agent template', AgentTemplate),
    'team.schema.json': text('Quarterdeck team', Team),
  };
}
