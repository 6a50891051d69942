/** A retention policy as a form holds it, and reports about it in words. Pure. */
import type { RetentionPolicy, RetentionReport } from '#shared/retention/model.ts';
import { KEPT_BECAUSE, RetentionPolicy as RetentionPolicySchema } from '#shared/retention/model.ts';

/** The limits that a policy can have. */
export const LIMITS = ['maxAgeMs', 'maxMessages', 'maxBytes'] as const;
/** A limit that a policy can have. */
export type Limit = (typeof LIMITS)[number];

/** How a limit is written: as so many of `unit`, each of which is `of` in the policy. `first` is offered when it is switched on. */
export const LIMIT_UNITS: Readonly<Record<Limit, { readonly unit: string; readonly of: number; readonly first: string }>> = {
  maxAgeMs: { unit: 'days', of: 86_400_000, first: '90' },
  maxMessages: { unit: 'messages', of: 1, first: '100000' },
  maxBytes: { unit: 'MB of text', of: 1_000_000, first: '1000' },
};

/** A policy while it is edited: a text for each limit that is on. */
export interface PolicyForm {
  readonly limits: Readonly<Record<Limit, string | null>>;
  readonly isAutomatic: boolean;
  readonly removesMirrors: boolean;
}

/** A policy as a form. */
export function formOf(policy: RetentionPolicy): PolicyForm {
  const text = (limit: Limit): string | null => {
    const value = policy[limit];
    // What the command line set to the minute stays what it is to the minute.
    return value === null ? null : String(Number((value / LIMIT_UNITS[limit].of).toFixed(9)));
  };
  return {
    limits: { maxAgeMs: text('maxAgeMs'), maxMessages: text('maxMessages'), maxBytes: text('maxBytes') },
    isAutomatic: policy.isAutomatic,
    removesMirrors: policy.removesMirrors,
  };
}

/** What is wrong with the text of a limit; undefined when nothing is. */
export function problemOfLimit(limit: Limit, text: string): string | undefined {
  const { of, unit } = LIMIT_UNITS[limit];
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < 0) return `Write how many ${unit}.`;
  if (limit === 'maxMessages' && !Number.isInteger(value)) return 'Write a whole number of messages.';
  return RetentionPolicySchema.shape[limit].safeParse(Math.round(value * of)).success ? undefined : 'That is out of range.';
}

/** The policy that a form stands for; undefined while something in it is wrong. */
export function policyOf(form: PolicyForm): RetentionPolicy | undefined {
  const value = (limit: Limit): number | null => {
    const text = form.limits[limit];
    return text === null ? null : Math.round(Number(text) * LIMIT_UNITS[limit].of);
  };
  if (LIMITS.some((limit) => form.limits[limit] !== null && problemOfLimit(limit, form.limits[limit]) !== undefined))
    return undefined;
  return {
    maxAgeMs: value('maxAgeMs'),
    maxMessages: value('maxMessages'),
    maxBytes: value('maxBytes'),
    isAutomatic: form.isAutomatic,
    removesMirrors: form.removesMirrors,
  };
}

/** Whether a policy limits anything. */
export function limitsAnything(policy: RetentionPolicy): boolean {
  return LIMITS.some((limit) => policy[limit] !== null);
}

/** Whether two policies are the same. */
export function isSamePolicy(a: RetentionPolicy, b: RetentionPolicy): boolean {
  return (
    LIMITS.every((limit) => a[limit] === b[limit]) && a.isAutomatic === b.isAutomatic && a.removesMirrors === b.removesMirrors
  );
}

/** "1 message", "1,204 messages". */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
}

const WHY: Readonly<Record<(typeof KEPT_BECAUSE)[number], string>> = {
  unread: 'not acknowledged by everybody',
  'unread-thread': 'of a thread with such a message',
  'open-request': 'requests that nobody answered',
  'not-mirrored': 'not in the mirror yet',
};

/** How many messages stay although a limit reaches them, and why; undefined when none does. */
export function keptText({ kept }: Pick<RetentionReport, 'kept'>): string | undefined {
  const reasons = KEPT_BECAUSE.filter((reason) => kept[reason] > 0);
  const total = reasons.reduce((sum, reason) => sum + kept[reason], 0);
  if (total === 0) return undefined;
  const list = reasons.map((reason) => `${kept[reason].toLocaleString('en-GB')} ${WHY[reason]}`).join(', ');
  return `${countText(total, 'message')} ${total === 1 ? 'stays' : 'stay'} all the same: ${list}.`;
}
