import { describe, expect, it } from 'vitest';
import { describeRuntime } from '../conformance.ts';
import { HostLimits } from '../limits/host-limits.ts';
import { isRunning } from '../process-table.ts';
import { launchSpec, removeFolder, scratchFolder, waitFor, waitForScreen } from '../testing/support.ts';
import { PtyRuntime } from './pty-runtime.ts';

const log = (): void => undefined;

const limits = new HostLimits({ instanceId: `test-${process.pid}`, log });

describeRuntime({ name: 'pty', create: () => new PtyRuntime({ log, closeGraceMs: 100, limits }) });

describe('PtyRuntime', () => {
  it('ends its agents when it is closed', async () => {
    const folder = scratchFolder();
    const runtime = new PtyRuntime({ log, closeGraceMs: 100 });
    const run = await runtime.launch(
      launchSpec(['/bin/sh', '-c', 'trap "" TERM HUP; echo up; while :; do sleep 0.1; done'], { cwd: folder }),
    );
    await waitForScreen(run, 'up');
    await runtime.close();
    expect(isRunning(run.pid)).toBe(false);
    expect(await run.ended).toEqual({ kind: 'exited', exit: { signal: 'SIGKILL' } });
    removeFolder(folder);
  });

  it('answers what a program asks its terminal, while nobody looks', async () => {
    const folder = scratchFolder();
    const runtime = new PtyRuntime({ log });
    // Asks for the position of the cursor (ECMA-48 DSR 6) and reads the answer.
    const ask = `stty raw -echo; printf '\\033[6n'; answer=$(dd bs=1 count=6 2>/dev/null | od -An -c); stty sane; echo "answer:$answer"`;
    const run = await runtime.launch(launchSpec(['/bin/sh', '-c', ask], { cwd: folder }));
    expect(await waitForScreen(run, 'answer:')).toMatch(/033 {3}\[ {3}1 {3}; {3}1 {3}R/);
    await runtime.close();
    removeFolder(folder);
  });

  it('does not spin while a paused agent does not read what is typed', async () => {
    const folder = scratchFolder();
    const runtime = new PtyRuntime({ log });
    const run = await runtime.launch(launchSpec(['/bin/sh', '-c', 'stty raw -echo; echo up; exec cat > typed'], { cwd: folder }));
    await waitForScreen(run, 'up');
    await run.pause();
    const stream = await run.attach({ cols: 80, rows: 24 });
    const bytes = 200_000;
    const before = process.cpuUsage();
    const start = performance.now();
    stream.write(Buffer.alloc(bytes, 'x'));
    await waitFor('half a second', () => performance.now() - start > 500);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(400);
    await run.resume();
    const { statSync } = await import('node:fs');
    await waitFor('all that was typed', () => statSync(`${folder}/typed`).size === bytes);
    await runtime.close();
    removeFolder(folder);
  });
});
