import { afterEach, expect, it, vi } from 'vitest';
import { EventLoopMonitor } from './event-loop.ts';

let committedMs = 0;
const monitor = new EventLoopMonitor({ commitMs: () => committedMs });
afterEach(() => {
  monitor.dispose();
  committedMs = 0;
});

it('says nothing of a loop it has not measured', () => {
  expect(new EventLoopMonitor({ commitMs: () => 0 }).read()).toEqual({ p50Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 });
});

it('sees how long the loop is held up', async () => {
  monitor.start();
  // The monitor's own timer has to run before and after.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const until = performance.now() + 120;
  while (performance.now() < until);
  await vi.waitFor(() => expect(monitor.read().maxMs).toBeGreaterThan(90), { timeout: 10_000, interval: 10 });
  const { p50Ms, p99Ms, p999Ms, maxMs } = monitor.read();
  expect(p50Ms).toBeLessThanOrEqual(p99Ms);
  expect(p99Ms).toBeLessThanOrEqual(p999Ms);
  expect(p999Ms).toBeLessThanOrEqual(maxMs);
});

it('does not count the time of commits', async () => {
  const other = new EventLoopMonitor({ commitMs: () => committedMs });
  other.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const startedAt = performance.now();
  while (performance.now() < startedAt + 200);
  committedMs += performance.now() - startedAt;
  await new Promise((resolve) => setTimeout(resolve, 30));
  other.dispose();
  expect(other.read().maxMs).toBeLessThan(150);
});
