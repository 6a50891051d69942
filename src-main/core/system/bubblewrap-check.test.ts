import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkBubblewrap } from './bubblewrap-check.ts';
import type { Probe } from './probe.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-bwrap-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function probe(): Probe {
  return { env: { PATH: dir }, deadline: performance.now() + 20_000 };
}

function program(name: string, script: string): void {
  writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe.runIf(process.platform === 'linux')('bubblewrap', () => {
  it('is optional where it is not there', async () => {
    expect(await checkBubblewrap(probe())).toMatchObject({ state: 'optional', version: null, path: null });
  });

  it('is good when a program ran in it', async () => {
    program('bwrap', 'case "$1" in --version) echo "bubblewrap 0.8.0";; --unshare-all) exit 0;; *) exit 9;; esac');
    expect(await checkBubblewrap(probe())).toMatchObject({ state: 'ok', version: '0.8.0', remedy: null });
  });

  it('is not good though it is there where the system forbids namespaces, and the setting is named', async () => {
    program(
      'bwrap',
      'case "$1" in --version) echo "bubblewrap 0.9.0";; *) echo "bwrap: setting up uid map: Permission denied" >&2; exit 1;; esac',
    );
    program('sysctl', 'case "$2" in kernel.apparmor_restrict_unprivileged_userns) echo 1;; *) exit 255;; esac');
    expect(await checkBubblewrap(probe())).toMatchObject({
      state: 'optional',
      detail: expect.stringContaining('Permission denied') as string,
      remedy: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    });
  });
});
