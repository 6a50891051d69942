import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Coalescer, Pacer } from './coalesce.ts';

describe('Coalescer', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('makes one run of many requests, and another of those that came meanwhile', async () => {
    const finish: (() => void)[] = [];
    const coalescer = new Coalescer(100, () => new Promise((resolve) => finish.push(resolve)));
    for (let i = 0; i < 5; i += 1) coalescer.ask();
    await vi.advanceTimersByTimeAsync(100);
    expect(finish).toHaveLength(1);
    coalescer.ask();
    coalescer.ask();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(finish).toHaveLength(1);
    finish[0]?.();
    await vi.advanceTimersByTimeAsync(100);
    expect(finish).toHaveLength(2);
    finish[1]?.();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(finish).toHaveLength(2);
  });

  it('goes on after a failed run, and stops when it is disposed', async () => {
    let runs = 0;
    const coalescer = new Coalescer(10, () => {
      runs += 1;
      return Promise.reject(new Error('the line dropped'));
    });
    coalescer.ask();
    await vi.advanceTimersByTimeAsync(10);
    coalescer.ask();
    await vi.advanceTimersByTimeAsync(10);
    expect(runs).toBe(2);
    coalescer.ask();
    coalescer.dispose();
    coalescer.ask();
    await vi.advanceTimersByTimeAsync(100);
    expect(runs).toBe(2);
  });
});

describe('Pacer', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('runs at once after a silence, then once for all that is asked for in a while, and at once when it is told to', () => {
    let runs = 0;
    const pacer = new Pacer(40, () => (runs += 1));
    pacer.ask();
    expect(runs).toBe(1);
    for (let n = 0; n < 5; n += 1) pacer.ask();
    expect(runs).toBe(1);
    vi.advanceTimersByTime(40);
    expect(runs).toBe(2);
    pacer.ask();
    pacer.flush();
    pacer.flush();
    expect(runs).toBe(3);
    vi.advanceTimersByTime(1_000);
    expect(runs).toBe(3);
    pacer.ask();
    expect(runs).toBe(4);
    pacer.ask();
    pacer.dispose();
    vi.advanceTimersByTime(1_000);
    expect(runs).toBe(4);
  });
});
