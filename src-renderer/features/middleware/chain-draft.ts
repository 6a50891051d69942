/** A chain of middleware while it is edited: each step as its name, its switch and the text of its data. Pure. */
import * as z from 'zod';
import { uuidv7 } from '#shared/kernel/ids.ts';
import type { MiddlewareStep, StepKind } from '#shared/middleware/model.ts';
import { MiddlewareChain, MiddlewareStep as MiddlewareStepSchema } from '#shared/middleware/model.ts';

/** A step while it is edited. */
export interface StepDraft {
  /** Stays the same while its name is changed and it is moved. */
  readonly key: string;
  readonly kind: StepKind;
  readonly id: string;
  readonly isOn: boolean;
  /** Everything else of it, as JSON. */
  readonly text: string;
}

/** What a new step of each kind begins with: something that holds, and is seen to. In the order in which they are usual. */
const FIRST: Readonly<Record<StepKind, Readonly<Record<string, unknown>>>> = {
  validate: { requireSubject: false, maxBodyChars: 20_000 },
  authorise: { default: 'allow', rules: [{ from: ['*'], to: ['*'], effect: 'allow' }] },
  limit: { perMinute: 60, burst: 20 },
  redact: {},
  transform: { priority: { atMost: 'high' } },
  module: { module: 'house-style', timeoutMs: 200, onFailure: 'closed' },
  audit: { when: { kinds: ['task'] } },
};
/** The kinds of step, in the order in which they are usual. */
export const STEP_KINDS: readonly StepKind[] = ['validate', 'authorise', 'limit', 'redact', 'transform', 'module', 'audit'];

const json = (value: unknown): string => JSON.stringify(value, undefined, 2);

/** A stored step as a draft. */
export function draftOf({ id, kind, enabled, ...data }: MiddlewareStep): StepDraft {
  return { key: uuidv7(), id, kind, isOn: enabled, text: json(data) };
}

/** A new step, with a name that no other one has. */
export function newStep(kind: StepKind, others: readonly StepDraft[]): StepDraft {
  const isTaken = (id: string): boolean => others.some((other) => other.id === id);
  let id: string = kind;
  for (let n = 2; isTaken(id); n += 1) id = `${kind}-${n}`;
  return { key: uuidv7(), id, kind, isOn: true, text: json(FIRST[kind]) };
}

/** A step, or what is wrong with its draft. */
export type ReadStep = { readonly ok: true; readonly step: MiddlewareStep } | { readonly ok: false; readonly problem: string };

function issueText({ path, message }: { readonly path: PropertyKey[]; readonly message: string }): string {
  const at = path.map(String).join('.');
  return at === '' ? message : `${at}: ${message}`;
}

/** Reads a draft. */
export function readStep({ id, kind, isOn, text }: StepDraft): ReadStep {
  let data: unknown;
  try {
    data = JSON.parse(text.trim() === '' ? '{}' : text);
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : 'This is no JSON.' };
  }
  const fields = z.record(z.string(), z.unknown()).safeParse(data);
  if (!fields.success) return { ok: false, problem: 'Write one JSON object: {"name": value, …}.' };
  const parsed = MiddlewareStepSchema.safeParse({ ...fields.data, id, kind, enabled: isOn });
  if (parsed.success) return { ok: true, step: parsed.data };
  return { ok: false, problem: parsed.error.issues.slice(0, 3).map(issueText).join('; ') };
}

/** The chain that drafts stand for, or undefined while one of them is wrong. */
export function readChain(drafts: readonly StepDraft[]): MiddlewareChain | undefined {
  const steps = drafts.flatMap((draft) => {
    const read = readStep(draft);
    return read.ok ? [read.step] : [];
  });
  return steps.length === drafts.length ? MiddlewareChain.safeParse({ steps }).data : undefined;
}

/** Drafts with the one at `from` at the place `to`; places beyond the ends are the ends. */
export function moved(drafts: readonly StepDraft[], from: number, to: number): readonly StepDraft[] {
  const step = drafts[from];
  if (step === undefined) return drafts;
  const rest = drafts.filter((_, at) => at !== from);
  const place = Math.min(Math.max(to, 0), rest.length);
  return [...rest.slice(0, place), step, ...rest.slice(place)];
}
