import { describe, expect, it } from 'vitest';
import type { KeyPress } from './keys.ts';
import { isWithinReach, stepOf, strokeOf } from './keys.ts';

const press = (key: string, changes: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...changes,
});

describe('strokeOf', () => {
  it.each<[string, KeyPress]>([
    ['j', press('j')],
    ['j', press('J')],
    ['?', press('?', { shiftKey: true })],
    ['ctrl+k', press('k', { ctrlKey: true })],
    ['ctrl+k', press('k', { metaKey: true })],
    ['ctrl+shift+k', press('K', { ctrlKey: true, shiftKey: true })],
    ['shift+enter', press('Enter', { shiftKey: true })],
    ['space', press(' ')],
    ['alt+arrowup', press('ArrowUp', { altKey: true })],
  ])('reads %s', (stroke, event) => expect(strokeOf(event)).toBe(stroke));

  it('leaves modifiers alone', () => expect(strokeOf(press('Shift', { shiftKey: true }))).toBeUndefined());
});

describe('stepOf', () => {
  const commands = [{ keys: 'g f' }, { keys: 'g m' }, { keys: 'm' }, {}];

  it('runs a single key', () => expect(stepOf(commands, '', 'm')).toEqual({ kind: 'run', command: commands[2] }));
  it('waits in a sequence', () => expect(stepOf(commands, '', 'g')).toEqual({ kind: 'wait', typed: 'g' }));
  it('ends a sequence', () => expect(stepOf(commands, 'g', 'f')).toEqual({ kind: 'run', command: commands[0] }));
  it('prefers the sequence to its last key', () =>
    expect(stepOf(commands, 'g', 'm')).toEqual({ kind: 'run', command: commands[1] }));
  it('takes the last key of a sequence that leads nowhere', () =>
    expect(stepOf([{ keys: 'g f' }, { keys: 'x' }], 'g', 'x')).toEqual({ kind: 'run', command: { keys: 'x' } }));
  it('finds nothing for other keys', () => expect(stepOf(commands, '', 'q')).toEqual({ kind: 'none' }));
});

describe('isWithinReach', () => {
  const free = { isField: false, isOverlaid: false, isModal: false };
  it.each<[string, typeof free, boolean, boolean]>([
    ['on the page', free, true, true],
    ['in a field', { ...free, isField: true }, false, true],
    ['in a menu', { ...free, isOverlaid: true }, false, true],
    ['in a dialog', { ...free, isOverlaid: true, isModal: true }, false, false],
    ['in a field of a dialog', { isField: true, isOverlaid: true, isModal: true }, false, false],
  ])('%s', (_where, place, plain, global) => {
    expect(isWithinReach({}, place)).toBe(plain);
    expect(isWithinReach({ isGlobal: true }, place)).toBe(global);
  });
});
