import { describe, expect, it } from 'vitest';
import { ariaKeys, readableKeys } from './readable-keys.ts';

describe('keys', () => {
  it('are read as people write them', () => {
    const cases = [
      ['ctrl+k', 'Ctrl K'],
      ['g f', 'G F'],
      ['ctrl++', 'Ctrl +'],
      ['Ctrl Enter', 'Ctrl Enter'],
      ['?', '?'],
      ['escape', 'Esc'],
    ] as const;
    for (const [keys, text] of cases) expect(readableKeys(keys)).toBe(text);
  });

  it('are told to screen readers where they are pressed at once', () => {
    expect(ariaKeys('ctrl+k')).toBe('Control+K');
    expect(ariaKeys('j')).toBe('J');
    expect(ariaKeys('g f')).toBeUndefined();
    expect(ariaKeys(undefined)).toBeUndefined();
  });
});
