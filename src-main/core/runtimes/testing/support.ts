/** What the runtimes' tests share: waiting for conditions, looking at processes, scratch folders. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceLimits } from '#shared/agents/model.ts';
import { ResourceLimits as ResourceLimitsSchema } from '#shared/agents/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import type { LaunchSpec, Run, TerminalStream } from '../runtime.ts';

/** Waits until `condition` gives something other than false or undefined; fails with `what` at the deadline. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 12_000,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    if (performance.now() > deadline) throw new Error(`Not within ${deadlineMs} ms: ${what}`);
    await sleep(10);
  }
}

/** A folder of its own, short enough for a socket in it. */
export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), 'qdrt-'));
}

/** Removes a folder, also while a process is just writing its last file there. */
export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** An agent id from a text. */
export function agentId(text: string): AgentId {
  return AgentIdSchema.parse(text);
}

/** Limits that no test reaches. */
export const LIMITS: ResourceLimits = ResourceLimitsSchema.parse({});

/** A launch with defaults for everything but the command. */
export function launchSpec(argv: readonly string[], changes: Partial<LaunchSpec> & { cwd: string }): LaunchSpec {
  return {
    agentId: agentId('agent-1'),
    argv,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: changes.cwd, LANG: 'C.UTF-8' },
    size: { cols: 80, rows: 24 },
    sideWindows: [],
    runId: 'run_1',
    limits: LIMITS,
    setup: undefined,
    box: undefined,
    ...changes,
  };
}

/** The whole screen with history, as one text. */
export async function screenOf(run: Run, window?: string): Promise<string> {
  const capture = await run.capture({ historyLines: 1000, ansi: false, ...(window === undefined ? {} : { window }) });
  return capture.lines.join('\n');
}

/** Waits until the run's screen or history contains `text`, and returns all of it. */
export function waitForScreen(run: Run, text: string, window?: string): Promise<string> {
  return waitFor(`"${text}" on the screen of ${run.agentId}`, async () => {
    const screen = await screenOf(run, window);
    return screen.includes(text) && screen;
  });
}

/** Collects what a viewer sees. */
export function collect(stream: TerminalStream): { text: () => string; hasEnded: () => boolean } {
  const chunks: Uint8Array[] = [];
  let hasEnded = false;
  stream.onData((chunk) => chunks.push(chunk));
  stream.onEnd(() => {
    hasEnded = true;
  });
  return { text: () => Buffer.concat(chunks).toString('utf8'), hasEnded: () => hasEnded };
}

/** Pids of the processes whose arguments contain `text`. */
export function processesWith(text: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text)) found.push(Number(name));
    } catch {
      // Ended meanwhile.
    }
  }
  return found;
}
