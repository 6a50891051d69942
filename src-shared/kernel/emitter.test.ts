import { describe, expect, it } from 'vitest';
import { Emitter } from './emitter.ts';

describe('an emitter', () => {
  it('calls every listener in order, and none after its release', () => {
    const emitter = new Emitter<number>();
    const heard: string[] = [];
    const first = emitter.on((n) => heard.push(`a${n}`));
    emitter.on((n) => heard.push(`b${n}`));
    emitter.fire(1);
    first.dispose();
    first.dispose();
    emitter.fire(2);
    expect(heard).toEqual(['a1', 'b1', 'b2']);
    expect(emitter.size).toBe(1);
    emitter.dispose();
    emitter.fire(3);
    expect([heard.length, emitter.size]).toEqual([3, 0]);
  });

  it('keeps a listener that throws from the others and from who fires, and tells it', () => {
    const errors: unknown[] = [];
    const emitter = new Emitter<string>((error) => errors.push(error));
    const heard: string[] = [];
    const bug = new Error('bug');
    emitter.on(() => {
      throw bug;
    });
    emitter.on((text) => heard.push(text));
    emitter.fire('x');
    expect([heard, errors]).toEqual([['x'], [bug]]);
    const silent = new Emitter<string>();
    silent.on(() => {
      throw bug;
    });
    silent.fire('x');
  });

  it('counts one function registered twice as two', () => {
    const emitter = new Emitter<void>();
    let count = 0;
    const listener = (): void => void (count += 1);
    const first = emitter.on(listener);
    emitter.on(listener);
    emitter.fire();
    first.dispose();
    emitter.fire();
    expect(count).toBe(3);
  });

  it('stands changes while it fires: no call after a release, none for who comes in between', () => {
    const emitter = new Emitter<void>();
    const heard: string[] = [];
    emitter.on(() => {
      heard.push('a');
      second.dispose();
      emitter.on(() => heard.push('late'));
    });
    const second = emitter.on(() => heard.push('b'));
    emitter.fire();
    expect(heard).toEqual(['a']);
  });
});
