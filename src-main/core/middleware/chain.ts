/**
 * Carries a draft through a chain. A generator: it yields where it has to wait for a module, and nowhere else, so that a chain
 * without modules costs no turn of the event loop.
 */
import type { MiddlewareChain, MiddlewareStep, StepOf, StepReport } from '#shared/middleware/model.ts';
import type { MessageDraft } from '#core/messages/message-draft.ts';
import { changeDraft } from './draft-changes.ts';
import type { ModuleAnswer } from './module-runner.ts';
import { readAnswer } from './module-answer.ts';
import type { MessageFacts } from './parties.ts';
import { looksAt } from './parties.ts';
import type { Refusal, StepEffect } from './steps.ts';
import { authorise, bucketsOf, limited, redact, transform, validate } from './steps.ts';

/** What a chain is carried out with. */
export interface ChainContext {
  readonly projectId: string;
  /** Who writes to whom. Its kind and topic are the draft's, which no step changes. */
  readonly facts: MessageFacts;
  /** Takes from buckets; 0, or after how many milliseconds it would work. */
  readonly take: (buckets: readonly string[], step: StepOf<'limit'>) => number;
  readonly findSecrets: (text: string) => readonly { from: number; to: number }[];
  readonly callModule: (step: StepOf<'module'>, draft: MessageDraft) => Promise<ModuleAnswer>;
}

/** What a step did. */
export interface StepRun extends StepReport {
  /** How many places it redacted. */
  readonly redacted: number;
}

/** What became of a draft. */
export interface ChainRun {
  readonly draft: MessageDraft;
  readonly steps: readonly StepRun[];
  readonly refusal: (Refusal & { readonly step: string; readonly kind: string }) | undefined;
}

/** Steps that the core's own messages pass: they cannot be refused, or nobody would be told of a death. */
const FOR_THE_CORE: ReadonlySet<string> = new Set(['redact', 'audit']);

/** Carries a draft through a chain. */
export function* runChain(
  chain: MiddlewareChain,
  start: MessageDraft,
  context: ChainContext,
): Generator<Promise<ModuleAnswer>, ChainRun, ModuleAnswer> {
  let draft = start;
  const steps: StepRun[] = [];
  const note = (step: MiddlewareStep, outcome: StepReport['outcome'], detail: string, redacted = 0): void => {
    steps.push({ id: step.id, kind: step.kind, outcome, detail, redacted });
  };
  for (const step of chain.steps) {
    if (!step.enabled) {
      note(step, 'off', 'not enabled');
      continue;
    }
    if (!looksAt(step.when, context.facts) || (context.facts.sender.kind === 'system' && !FOR_THE_CORE.has(step.kind))) {
      note(step, 'skipped', 'does not look at such messages');
      continue;
    }
    let effect: StepEffect;
    if (step.kind === 'module') {
      const answer = yield context.callModule(step, draft);
      const verdict = answer.ok ? readAnswer(answer.value, draft) : { problem: answer.problem };
      if ('problem' in verdict && step.onFailure === 'open') {
        note(step, 'failed', `module "${step.module}" failed, and the message passes as it was: ${verdict.problem}`);
        continue;
      }
      if ('problem' in verdict) note(step, 'failed', verdict.problem);
      effect = effectOf(step, verdict);
    } else effect = effectOfStep(step, draft, context);
    if (effect.refusal) {
      note(step, 'refused', effect.refusal.reason);
      return { draft, steps, refusal: { ...effect.refusal, step: step.id, kind: step.kind } };
    }
    const changed = changeDraft(draft, effect.changes ?? {});
    draft = changed.draft;
    if (changed.fields.length === 0) note(step, 'passed', step.kind === 'audit' ? 'is written down' : 'nothing to do');
    else note(step, 'changed', detailOf(changed.fields, effect), sumOf(effect));
  }
  return { draft, steps, refusal: undefined };
}

function effectOf(step: StepOf<'module'>, verdict: ReturnType<typeof readAnswer>): StepEffect {
  if ('changes' in verdict) return { changes: verdict.changes };
  if ('refuse' in verdict)
    return {
      refusal: {
        code: 'FORBIDDEN',
        reason: `module "${step.module}" says: ${verdict.refuse}`,
        advice: 'Change the message as it says, or ask the operator.',
      },
    };
  return {
    refusal: {
      code: 'UNAVAILABLE',
      reason: `module "${step.module}" failed (${verdict.problem}), and nothing passes without it`,
      advice: 'Try again later, or ask the operator to look at the module.',
    },
  };
}

function effectOfStep(step: Exclude<MiddlewareStep, { kind: 'module' }>, draft: MessageDraft, context: ChainContext): StepEffect {
  switch (step.kind) {
    case 'validate':
      return validate(step, draft);
    case 'authorise':
      return authorise(step, context.facts);
    case 'limit': {
      const waitMs = context.take(bucketsOf(step, context.projectId, context.facts), step);
      return waitMs > 0 ? limited(step, context.facts, waitMs) : {};
    }
    case 'redact':
      return redact(step, draft, context.findSecrets);
    case 'transform':
      return transform(step, draft, context.facts);
    case 'audit':
      return {};
  }
}

function sumOf(effect: StepEffect): number {
  return [...(effect.redacted?.values() ?? [])].reduce((sum, count) => sum + count, 0);
}

function detailOf(fields: readonly string[], effect: StepEffect): string {
  const redacted = [...(effect.redacted ?? [])].map(([kind, count]) => `${count} ${kind}`).join(', ');
  return `changed ${fields.join(', ')}${redacted === '' ? '' : ` (redacted ${redacted})`}`;
}

/** Runs to the end: at once where nothing has to be waited for, else as a promise. */
export function drive<T, R>(steps: Generator<Promise<T>, R, T>): R | Promise<R> {
  const first = steps.next();
  if (first.done === true) return first.value;
  const goOn = async (): Promise<R> => {
    let step: IteratorResult<Promise<T>, R> = first;
    while (step.done !== true) step = steps.next(await step.value);
    return step.value;
  };
  return goOn();
}
