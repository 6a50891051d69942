import { expect, test } from 'vitest';
import { visibleText } from './visible-text.ts';

test('what would be shown in another order than it is written is marked', () => {
  expect(visibleText('rm \u202egpj.exe\u202c and \u2066more\u2069')).toBe('rm [U+202E]gpj.exe[U+202C] and [U+2066]more[U+2069]');
});

test('everything else is left as it is', () => {
  for (const text of ['שלום', 'مرحبا', '👩‍💻', 'e\u0301', 'a\nb']) expect(visibleText(text)).toBe(text);
});
