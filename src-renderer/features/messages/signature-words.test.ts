import { expect, it } from 'vitest';
import { Verdict } from '#shared/provenance/model.ts';
import { signatureWords } from './signature-words.ts';

const verdict = (changes: Partial<Verdict>): Verdict =>
  Verdict.parse({
    genuine: false,
    finding: 'changed',
    reason: 'Its text is not what was signed.',
    sender: null,
    messageId: null,
    sentAt: null,
    keyId: null,
    ...changes,
  });

it.each<[Partial<Verdict>, string, boolean]>([
  [{ genuine: true, finding: 'genuine', keyId: '0123456789abcdef' }, 'verified, key 01234567', false],
  [{ finding: 'imported' }, 'none: it was read from a file', false],
  [{ finding: 'changed' }, 'not genuine: Its text is not what was signed.', true],
  [{ finding: 'unsigned' }, 'not genuine: Its text is not what was signed.', true],
])('says of %o: %s', (changes, text, isFailed) => {
  expect(signatureWords(verdict(changes))).toEqual({ text, isFailed });
});
