import { describe, expect, it } from 'vitest';
import { DisposableStack, toDisposable } from './disposable.ts';

describe('a disposable', () => {
  it('releases once, even when asked for it by its own release', () => {
    let count = 0;
    const disposable = toDisposable(() => {
      count += 1;
      disposable.dispose();
    });
    disposable.dispose();
    disposable.dispose();
    expect(count).toBe(1);
  });
});

describe('a stack of disposables', () => {
  const note = (into: string[], name: string) => toDisposable(() => into.push(name));

  it('releases in reverse order, once, and later ones at once', () => {
    const released: string[] = [];
    const stack = new DisposableStack();
    const first = note(released, 'a');
    expect(stack.add(first)).toBe(first);
    stack.add(note(released, 'b'));
    stack.dispose();
    stack.dispose();
    expect(released).toEqual(['b', 'a']);
    stack.add(note(released, 'late'));
    expect(released).toEqual(['b', 'a', 'late']);
  });

  it('releases all of them although some throw, then tells the first failure', () => {
    const released: string[] = [];
    const stack = new DisposableStack();
    stack.add(note(released, 'a'));
    for (const name of ['x', 'y']) {
      stack.add({
        dispose() {
          throw new Error(name);
        },
      });
    }
    stack.add(note(released, 'b'));
    expect(() => stack.dispose()).toThrow('y');
    expect(released).toEqual(['b', 'a']);
    stack.dispose();
  });
});
