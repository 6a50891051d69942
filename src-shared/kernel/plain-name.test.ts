import { expect, it } from 'vitest';
import { RegisterInput } from '#shared/enrolments/model.ts';
import { AttachmentName } from '#shared/messages/attachment.ts';
import { isPlainName } from './plain-name.ts';

it('is read as it is written', () => {
  for (const name of ['report.txt', 'Überblick – v2.pdf', '報告.md', 'تقرير.txt', '👩‍💻 at work', 'a b'])
    expect(isPlainName(name)).toBe(true);
  for (const name of [
    'invoice\u202efdp.exe',
    'Ope\u200brator',
    '\u2067x',
    '\ufeffa',
    '\u200b',
    '\u00ad\u00ad',
    ' ',
    '\u0301',
    '',
  ])
    expect(isPlainName(name)).toBe(false);
});

it('is asked of files and of who wants to be let in', () => {
  expect(AttachmentName.safeParse('invoice\u202efdp.exe').success).toBe(false);
  expect(RegisterInput.safeParse({ name: 'Ope\u200brator' }).success).toBe(false);
  expect(RegisterInput.safeParse({ name: 'Claude Code in api' }).success).toBe(true);
});
