import { describe, expect, it } from 'vitest';
import type { KeyPress } from '#renderer/commands/keys.ts';
import { keyUse } from './terminal-keys.ts';

const press = (key: string, changes: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...changes,
});

describe('keys in a terminal', () => {
  it('all go to the agent while one has the keyboard, but for those of terminals everywhere', () => {
    const ctrl = { ctrlKey: true };
    for (const [key, changes] of [
      ['x', {}],
      ['?', { shiftKey: true }],
      ['k', ctrl],
      ['c', ctrl],
      ['1', { altKey: true }],
      ['PageUp', {}],
      ['Tab', {}],
    ] as const)
      expect(keyUse(press(key, changes), true), key).toBe('agent');
    expect(keyUse(press('Enter', ctrl), true)).toBe('toggle-control');
    expect(keyUse(press('F', { ctrlKey: true, shiftKey: true }), true)).toBe('search');
    expect(keyUse(press('C', { ctrlKey: true, shiftKey: true }), true)).toBe('copy');
    expect(keyUse(press('-', ctrl), true)).toBe('zoom-out');
    expect(keyUse(press('PageUp', { shiftKey: true }), true)).toBe('page-up');
  });

  it('go nowhere while one watches: plain ones not even to the page, whose commands they could be', () => {
    for (const key of ['x', 'N', '?', ' ', 'Enter', 'Backspace', 'ä']) expect(keyUse(press(key), false), key).toBe('stray');
    for (const key of ['Tab', 'Escape', 'Shift', 'F5']) expect(keyUse(press(key), false), key).toBe('page');
    expect(keyUse(press('k', { ctrlKey: true }), false)).toBe('page');
    expect(keyUse(press('2', { altKey: true }), false)).toBe('page');
    expect(keyUse(press('PageUp'), false)).toBe('page-up');
    expect(keyUse(press('Enter', { ctrlKey: true }), false)).toBe('toggle-control');
  });
});
