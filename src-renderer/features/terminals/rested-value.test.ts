import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RestedValue } from './rested-value.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('passes on the last of several values, once they rest', () => {
  const send = vi.fn<(value: number) => void>();
  const rested = new RestedValue<number>(300, send);
  rested.set(13);
  vi.advanceTimersByTime(299);
  rested.set(14);
  vi.advanceTimersByTime(299);
  expect(send).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(send.mock.calls).toEqual([[14]]);
  vi.advanceTimersByTime(1_000);
  expect(send).toHaveBeenCalledOnce();
});

it('loses nothing when it is left before that', () => {
  const send = vi.fn<(value: number) => void>();
  const rested = new RestedValue<number>(300, send);
  rested.dispose();
  expect(send).not.toHaveBeenCalled();
  rested.set(15);
  rested.dispose();
  vi.advanceTimersByTime(1_000);
  expect(send.mock.calls).toEqual([[15]]);
});
