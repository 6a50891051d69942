/** Steps of middleware in words: what a kind is for, what a step does, what its fields are. Pure. */
import * as z from 'zod';
import type { MiddlewareStep, StepKind, StepReport } from '#shared/middleware/model.ts';
import { MiddlewareStep as MiddlewareStepSchema } from '#shared/middleware/model.ts';

/** What each kind of step does. */
export const KIND_WORDS: Readonly<Record<StepKind, { readonly title: string; readonly does: string }>> = {
  validate: { title: 'Validate', does: 'refuses what has not the form it must have' },
  authorise: { title: 'Authorise', does: 'says who may write to whom' },
  limit: { title: 'Limit', does: 'bounds how much one sender sends' },
  redact: { title: 'Redact', does: 'takes credentials out before anything is stored' },
  transform: { title: 'Transform', does: 'changes priority, lifetime, subject and labels' },
  module: { title: 'Module', does: 'runs a module of your own' },
  audit: { title: 'Audit', does: 'notes in the audit trail that a message passed' },
};

const list = (all: readonly string[]): string => all.join(', ');

/** What a step does, in a line. */
export function summaryOf(step: MiddlewareStep): string {
  const when = step.when === undefined ? '' : ', only for some messages';
  switch (step.kind) {
    case 'validate': {
      const parts = [
        ...(step.requireSubject ? ['a subject'] : []),
        ...(step.kinds === undefined ? [] : [`kinds ${list(step.kinds)}`]),
        ...(step.maxBodyChars === undefined ? [] : [`at most ${step.maxBodyChars.toLocaleString('en-GB')} characters`]),
        ...(step.minBodyChars === undefined ? [] : [`at least ${step.minBodyChars.toLocaleString('en-GB')} characters`]),
        ...(step.maxDataChars === undefined ? [] : [`data up to ${step.maxDataChars.toLocaleString('en-GB')} characters`]),
        ...(step.data === undefined ? [] : ['data by a schema']),
      ];
      return parts.length === 0 ? `asks for nothing${when}` : `asks for ${list(parts)}${when}`;
    }
    case 'authorise':
      return `${step.rules.length} ${step.rules.length === 1 ? 'rule' : 'rules'}, else ${step.default === 'allow' ? 'allowed' : 'denied'}${when}`;
    case 'limit':
      return `${step.perMinute.toLocaleString('en-GB')} a minute and ${step.burst.toLocaleString('en-GB')} at once for each ${step.per === 'pair' ? 'sender and recipient' : 'sender'}${when}`;
    case 'redact':
      return `${step.patterns.length} shapes of credentials${step.secrets ? ' and the stored secrets' : ''}${when}`;
    case 'transform': {
      const parts = (['priority', 'ttlMs', 'subject', 'labels'] as const).filter((part) => step[part] !== undefined);
      return parts.length === 0 ? `changes nothing${when}` : `changes ${list(parts)}${when}`;
    }
    case 'audit':
      return `notes ${step.when === undefined ? 'every message' : 'some messages'}`;
    case 'module':
      return `${step.module}, ${step.timeoutMs} ms; when it fails the message ${step.onFailure === 'closed' ? 'is refused' : 'passes as it was'}${when}`;
  }
}

/** What a step came to with a message that was tried. */
export const OUTCOME_WORDS: Readonly<Record<StepReport['outcome'], string>> = {
  off: 'is off',
  skipped: 'does not look at it',
  passed: 'lets it pass',
  changed: 'changes it',
  refused: 'refuses it',
  failed: 'failed, and let it pass',
};

/** A field that the data of a step may have. */
export interface FieldHelp {
  readonly name: string;
  readonly isRequired: boolean;
  /** What may stand there: "number, 1 to 60000", "allow | deny", "list". */
  readonly type: string;
  readonly description: string | undefined;
}

const Property = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  description: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  default: z.unknown().optional(),
  items: z
    .looseObject({ enum: z.array(z.unknown()).optional(), properties: z.record(z.string(), z.unknown()).optional() })
    .optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});
const ObjectSchema = z.looseObject({ properties: z.record(z.string(), Property), required: z.array(z.string()).default([]) });

function typeText(property: z.infer<typeof Property>): string {
  if (property.enum !== undefined) return property.enum.join(' | ');
  const { items, properties } = property;
  if (items?.enum !== undefined) return `list of ${items.enum.join(' | ')}`;
  if (items?.properties !== undefined) return `list of {${Object.keys(items.properties).join(', ')}}`;
  if (properties !== undefined) return `{${Object.keys(properties).join(', ')}}`;
  const names: Readonly<Record<string, string>> = { array: 'list', integer: 'number', string: 'text', boolean: 'true | false' };
  const type = [property.type ?? 'anything']
    .flat()
    .map((name) => names[name] ?? name)
    .join(' or ');
  const { minimum, maximum } = property;
  return minimum === undefined || maximum === undefined ? type : `${type}, ${minimum} to ${maximum}`;
}

/** What the data of a kind of step may hold, as its schema says it. */
export function helpOf(kind: StepKind): readonly FieldHelp[] {
  const option = MiddlewareStepSchema.options.find(({ shape }) => shape.kind.value === kind);
  if (option === undefined) return [];
  const { properties, required } = ObjectSchema.parse(
    z.toJSONSchema(option, { io: 'input', unrepresentable: 'any', reused: 'inline' }),
  );
  return Object.entries(properties)
    .filter(([name]) => !['id', 'kind', 'enabled'].includes(name))
    .map(([name, property]) => ({
      name,
      isRequired: required.includes(name),
      type: typeText(property),
      description: property.description,
    }))
    .toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired) || Number(a.name === 'when') - Number(b.name === 'when'));
}
