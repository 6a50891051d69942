import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findLoginPath, loginPath, mergePaths } from './login-path.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-shell-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Long enough for a loaded machine. */
const PATIENCE_MS = 10_000;
const PRESENT = '/usr/bin:/bin';

/** A shell whose start file is `startFile`; it runs what it is told afterwards. */
function shell(startFile: string): NodeJS.ProcessEnv {
  const path = join(dir, 'shell');
  writeFileSync(path, `#!/bin/sh\n${startFile}\nPATH="/opt/tools:$PATH"\neval "$2"\n`, { mode: 0o755 });
  return { SHELL: path, PATH: PRESENT };
}

describe('the PATH of a login shell', () => {
  it('is what the shell has, with the further folders of the present one', async () => {
    expect(await loginPath(shell(''), PATIENCE_MS)).toBe(`/opt/tools:${PRESENT}`);
  });

  it('is found among whatever start files print, and waits for no input', async () => {
    const noise = 'echo "Welcome to the machine"; echo oops >&2; printf "no line end"; read answer; echo "PATH=/wrong:$answer"';
    expect(await loginPath(shell(noise), PATIENCE_MS)).toBe(`/opt/tools:${PRESENT}`);
  });

  it('is taken at once although a start file leaves something running that holds the output', async () => {
    const startedAt = performance.now();
    expect(await loginPath(shell(`sleep 60 & echo $! > ${join(dir, 'pid')}`), 50_000)).toBe(`/opt/tools:${PRESENT}`);
    expect(performance.now() - startedAt).toBeLessThan(40_000);
    process.kill(Number(readFileSync(join(dir, 'pid'), 'utf8')), 'SIGKILL');
  });

  it('is the present one when the shell hangs, and what hangs is ended', async () => {
    const pidFile = join(dir, 'pid');
    // Deaf to a friendly end, and hanging in a child of its own.
    const env = shell(`trap "" TERM HUP; sleep 1000 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait; sleep 1000`);
    const asked = loginPath(env, 1_000);
    expect(await asked).toBe(PRESENT);
    if (!existsSync(pidFile)) return;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    // A process that is gone, or one that is dead and waits for its parent to notice.
    await vi.waitFor(() => expect(stateOf(pid)).toMatch(/^[ZX-]$/), { timeout: PATIENCE_MS, interval: 20 });
  });

  it('lets start files that take too long put away what they hold', async () => {
    const lock = join(dir, 'lock');
    const startFile = `trap 'rm -f ${lock}; exit' TERM; touch ${lock}; sleep 1000 & wait`;
    expect(await findLoginPath(shell(startFile), 1_000)).toMatchObject({
      path: PRESENT,
      problem: `${dir}/shell did not tell its PATH within 1 s`,
    });
    await vi.waitFor(() => expect(existsSync(lock)).toBe(false), { timeout: PATIENCE_MS, interval: 20 });
  });

  it.each([
    ['fails', 'exit 1'],
    ['prints nothing', 'exec true'],
    ['prints half a mark', 'printf __quarterdeck_; exit 0'],
  ])('is the present one when the shell %s', async (_what, startFile) => {
    expect(await loginPath(shell(startFile), PATIENCE_MS)).toBe(PRESENT);
  });

  it('is the present one without a shell, or with one that is not there', async () => {
    expect(await loginPath({ PATH: PRESENT }, PATIENCE_MS)).toBe(PRESENT);
    expect(await loginPath({ PATH: PRESENT, SHELL: '' }, PATIENCE_MS)).toBe(PRESENT);
    expect(await loginPath({ PATH: PRESENT, SHELL: join(dir, 'none') }, PATIENCE_MS)).toBe(PRESENT);
    expect(await loginPath({}, PATIENCE_MS)).toContain('/usr/bin');
    const failing = await findLoginPath(shell('exit 1'), PATIENCE_MS);
    expect(failing).toEqual({ path: PRESENT, shell: join(dir, 'shell'), problem: `${dir}/shell did not tell its PATH` });
  });

  it('does not drown in a start file that never stops printing', async () => {
    expect(await loginPath(shell('exec yes'), 1_000)).toBe(PRESENT);
  });
});

it('merges paths in order, each folder once', () => {
  expect(mergePaths('/b:/a::/b', '/c:/a:')).toBe('/b:/a:/c');
});

/** The state letter of a process; "-" when there is none. */
function stateOf(pid: number): string {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '-';
  } catch {
    return '-';
  }
}
