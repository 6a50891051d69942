/** What each kind of step does with a draft. Pure but for what the context gives. */
import type { ErrorCode } from '#shared/kernel/errors.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import type { StepOf } from '#shared/middleware/model.ts';
import { dataCheckOf } from '#shared/middleware/model.ts';
import type { MessageDraft } from '#core/messages/message-draft.ts';
import type { DraftChanges } from './draft-changes.ts';
import type { MessageFacts } from './parties.ts';
import { matchesRecipient, matchesSender, recipientName, senderName } from './parties.ts';
import type { RedactionCounts } from './redaction.ts';
import { redactJson, redactText } from './redaction.ts';

/** A refusal: what the sender is told. */
export interface Refusal {
  readonly code: ErrorCode;
  /** Without its beginning and full stop. */
  readonly reason: string;
  /** What the sender can do. */
  readonly advice: string;
  readonly retryAfterMs?: number;
}

/** What a step does: refuses, or changes something, or neither. */
export interface StepEffect {
  readonly refusal?: Refusal;
  readonly changes?: DraftChanges;
  readonly redacted?: RedactionCounts;
}

const PASSED: StepEffect = {};

function invalid(reason: string): StepEffect {
  return { refusal: { code: 'BAD_REQUEST', reason, advice: 'Change the message and send it again.' } };
}

/** `validate`. Never repeats what the message holds. */
export function validate(step: StepOf<'validate'>, draft: MessageDraft): StepEffect {
  if (step.requireSubject && (draft.subject ?? '').trim() === '') return invalid('a subject is required');
  if (step.kinds && !step.kinds.includes(draft.kind))
    return invalid(`kind "${draft.kind}" is not sent here, only ${step.kinds.join(', ')}`);
  const { length } = draft.body;
  if (step.minBodyChars !== undefined && length < step.minBodyChars)
    return invalid(`the body has ${length} characters; at least ${step.minBodyChars} are required`);
  if (step.maxBodyChars !== undefined && length > step.maxBodyChars)
    return invalid(`the body has ${length} characters; at most ${step.maxBodyChars} are allowed`);
  const dataChars = draft.dataText?.length ?? 0;
  if (step.maxDataChars !== undefined && dataChars > step.maxDataChars)
    return invalid(`"data" is ${dataChars} characters of JSON; at most ${step.maxDataChars} are allowed`);
  if (!step.data) return PASSED;
  const issue = dataCheckOf(step.data).safeParse(draft.data).error?.issues[0];
  if (!issue) return PASSED;
  const field = ['data', ...issue.path.map(String)].join('.').slice(0, 200);
  return invalid(`"${field}" is not as the project's schema says: ${issue.message.slice(0, 200)}`);
}

/** `authorise`: for each recipient the first rule that fits decides. */
export function authorise(step: StepOf<'authorise'>, facts: MessageFacts): StepEffect {
  if (facts.sender.kind === 'system' || (facts.sender.kind === 'operator' && !step.forOperatorToo)) return PASSED;
  for (const recipient of facts.recipients) {
    const index = step.rules.findIndex(
      (rule) =>
        rule.from.some((pattern) => matchesSender(pattern, facts.sender)) &&
        rule.to.some((pattern) => matchesRecipient(pattern, recipient)),
    );
    const rule = step.rules[index];
    if ((rule?.effect ?? step.default) === 'allow') continue;
    return {
      refusal: {
        code: 'FORBIDDEN',
        reason: `${senderName(facts.sender)} may not write to ${recipientName(recipient)} (${rule ? `rule ${index + 1}` : 'no rule allows it'})`,
        advice: 'Write to somebody you may write to, or ask the operator to allow it.',
      },
    };
  }
  return PASSED;
}

/** The buckets that a message takes from. */
export function bucketsOf(step: StepOf<'limit'>, projectId: string, facts: MessageFacts): string[] {
  if (facts.sender.kind === 'system' || (facts.sender.kind === 'operator' && !step.forOperatorToo)) return [];
  const sender = JSON.stringify([projectId, step.id, facts.sender.kind, facts.sender.id]);
  if (step.per === 'sender') return [sender];
  return [...new Set(facts.recipients.map(({ kind, id }) => `${sender}${JSON.stringify([kind, id])}`))];
}

/** `limit`, when a bucket is empty. */
export function limited(step: StepOf<'limit'>, facts: MessageFacts, retryAfterMs: number): StepEffect {
  const what = step.per === 'pair' ? 'to the same recipient ' : '';
  return {
    refusal: {
      code: 'TOO_MANY_REQUESTS',
      reason: `${senderName(facts.sender)} may send ${step.perMinute} messages a minute ${what}(${step.burst} at once)`,
      advice: `Wait ${retryAfterMs} ms, then send it again; put several things into one message.`,
      retryAfterMs,
    },
  };
}

/** `redact`. */
export function redact(
  step: StepOf<'redact'>,
  draft: MessageDraft,
  findSecrets: (text: string) => readonly { from: number; to: number }[],
): StepEffect {
  const counts: RedactionCounts = new Map();
  const redactor = { patterns: step.patterns, findSecrets: step.secrets ? findSecrets : undefined };
  const body = redactText(draft.body, redactor, counts);
  const subject = draft.subject === null ? null : redactText(draft.subject, redactor, counts);
  const data = draft.data === null ? null : redactJson(draft.data, redactor, counts);
  return counts.size === 0 ? PASSED : { changes: { body, subject, data }, redacted: counts };
}

/** Longest subject, in characters. */
const MAX_SUBJECT_CHARS = 200;

/** `transform`. */
export function transform(step: StepOf<'transform'>, draft: MessageDraft, facts: MessageFacts): StepEffect {
  const fill = (template: string): string =>
    template.replaceAll(/\{(from|kind|priority|topic)\}/g, (_, name: string) =>
      name === 'from'
        ? facts.sender.id
        : name === 'kind'
          ? draft.kind
          : name === 'priority'
            ? draft.priority
            : (draft.topic ?? ''),
    );
  const urgency = (priority: MessageDraft['priority']): number => PRIORITIES.indexOf(priority);
  let { priority, ttlMs, subject, data } = draft;
  const { set, atMost, atLeast } = step.priority ?? {};
  if (set !== undefined) priority = set;
  if (atMost !== undefined && urgency(priority) < urgency(atMost)) priority = atMost;
  if (atLeast !== undefined && urgency(priority) > urgency(atLeast)) priority = atLeast;
  if (step.ttlMs?.set !== undefined) ttlMs = step.ttlMs.set;
  if (step.ttlMs?.atMost !== undefined) ttlMs = Math.min(ttlMs ?? Infinity, step.ttlMs.atMost);
  if (step.subject) {
    const whole = `${fill(step.subject.prefix ?? '')}${subject ?? ''}${fill(step.subject.suffix ?? '')}`;
    subject = (
      whole.length > MAX_SUBJECT_CHARS ? whole.slice(0, Math.max(MAX_SUBJECT_CHARS, subject?.length ?? 0)) : whole
    ).toWellFormed();
  }
  if (step.labels && (data === null || (typeof data === 'object' && !Array.isArray(data)))) {
    const known = data?.['labels'];
    const own = typeof known === 'object' && known !== null && !Array.isArray(known) ? known : {};
    const added = Object.fromEntries(Object.entries(step.labels).map(([name, value]) => [name, fill(value).toWellFormed()]));
    // Somebody's own "labels" that are no names with values are not overwritten.
    if (known === undefined || own === known) data = { ...data, labels: { ...own, ...added } };
  }
  return { changes: { priority, ttlMs, subject, data } };
}
