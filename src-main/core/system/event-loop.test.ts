import { afterEach, expect, it, vi } from 'vitest';
import { EventLoopMonitor } from './event-loop.ts';

const monitor = new EventLoopMonitor();
afterEach(() => monitor.dispose());

it('says nothing of a loop it has not measured', () => {
  expect(new EventLoopMonitor().read()).toEqual({ p50Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 });
});

it('sees how long the loop is held up', async () => {
  monitor.start();
  // The histogram's own timer has to run before and after.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const until = performance.now() + 120;
  while (performance.now() < until);
  await vi.waitFor(() => expect(monitor.read().maxMs).toBeGreaterThan(90), { timeout: 10_000, interval: 10 });
  const { p50Ms, p99Ms, p999Ms, maxMs } = monitor.read();
  expect(p50Ms).toBeLessThanOrEqual(p99Ms);
  expect(p99Ms).toBeLessThanOrEqual(p999Ms);
  expect(p999Ms).toBeLessThanOrEqual(maxMs);
});
