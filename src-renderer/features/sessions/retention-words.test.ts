import { describe, expect, it } from 'vitest';
import { KEEP_EVERYTHING } from '#shared/retention/model.ts';
import { formOf, isSamePolicy, keptText, limitsAnything, policyOf, problemOfLimit } from './retention-words.ts';

describe('a policy in a form', () => {
  it('comes back as it was, also where it was set to the minute', () => {
    for (const policy of [
      KEEP_EVERYTHING,
      { ...KEEP_EVERYTHING, maxAgeMs: 90 * 86_400_000, maxMessages: 0, removesMirrors: true },
      { ...KEEP_EVERYTHING, maxAgeMs: 60_000, maxBytes: 1_234_567, isAutomatic: false },
    ]) {
      expect(policyOf(formOf(policy))).toEqual(policy);
    }
  });

  it.each([
    ['maxAgeMs', ''],
    ['maxAgeMs', '-1'],
    ['maxAgeMs', '0.0000001'],
    ['maxAgeMs', '40000'],
    ['maxMessages', '1.5'],
    ['maxBytes', 'many'],
  ] as const)('is wrong with %s of "%s"', (limit, text) => {
    expect(problemOfLimit(limit, text)).toEqual(expect.stringMatching(/\.$/));
    expect(
      policyOf({ ...formOf(KEEP_EVERYTHING), limits: { ...formOf(KEEP_EVERYTHING).limits, [limit]: text } }),
    ).toBeUndefined();
  });

  it('is told apart from another', () => {
    expect(limitsAnything(KEEP_EVERYTHING)).toBe(false);
    expect(limitsAnything({ ...KEEP_EVERYTHING, maxBytes: 5 })).toBe(true);
    expect(isSamePolicy(KEEP_EVERYTHING, { ...KEEP_EVERYTHING, isAutomatic: false })).toBe(false);
  });
});

it('says why messages stay that a limit reaches', () => {
  const none = { unread: 0, 'unread-thread': 0, 'open-request': 0, 'not-mirrored': 0 };
  expect(keptText({ kept: none })).toBeUndefined();
  expect(keptText({ kept: { ...none, unread: 1 } })).toBe('1 message stays all the same: 1 not acknowledged by everybody.');
  expect(keptText({ kept: { ...none, unread: 1_000, 'open-request': 2 } })).toBe(
    '1,002 messages stay all the same: 1,000 not acknowledged by everybody, 2 requests that nobody answered.',
  );
});
