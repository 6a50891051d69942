import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeep } from '#e2e/support/effort.ts';
import { describe } from 'vitest';
import { KIT } from '#shared/box/places.ts';
import { describeRuntime } from '../conformance.ts';
import { childrenOf } from '../process-table.ts';
import { PtyRuntime } from '../pty/pty-runtime.ts';
import type { LaunchSpec } from '../runtime.ts';
import { removeFolder, scratchFolder } from '../testing/support.ts';
import { TmuxRuntime } from '../tmux/tmux-runtime.ts';
import { boxIn, builtGuests } from './testing/bench.ts';
import { BUBBLEWRAP_MISSING } from './testing/find-bubblewrap.ts';

const log = (): void => undefined;
const folders: string[] = [];

/** A box that sees the launch's folder at its own path. */
function boxed(spec: LaunchSpec): LaunchSpec {
  const own = scratchFolder();
  folders.push(own);
  const mounts = existsSync(spec.cwd) ? [{ source: spec.cwd, target: spec.cwd, isWritable: true }] : [];
  return { ...spec, box: boxIn(own, spec, { checks: [], tookMs: 0 }, { mounts }) };
}

/** The runtime keeps its things in a folder that no box sees. */
function socketDirOf(folder: string): string {
  const path = `${folder}-own`;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

const contained = {
  prepare: () => Promise.resolve(void builtGuests()),
  box: boxed,
  node: `${KIT.bin}/node`,
  // The wrapper, bubblewrap twice, the box.
  ownProcesses: 4,
  agentPid: (pid: number) => childrenOf(pid)[0] ?? 0,
};

function cleanUp(folder: string): Promise<void> {
  const own = socketDirOf(folder);
  return new Promise((resolve) => {
    execFile('tmux', ['-S', join(own, 'tmux.sock'), 'kill-server'], () => {
      for (const path of [own, ...folders.splice(0)]) removeFolder(path);
      resolve();
    });
  });
}

describe.skipIf(BUBBLEWRAP_MISSING !== undefined)(`bubblewrap ${BUBBLEWRAP_MISSING ?? ''}`, () => {
  // The box is the same over both, and so is each of them without one: one of the four pairs is for deep runs.
  if (isDeep)
    describeRuntime({
      name: 'pty in bubblewrap',
      create: (folder) => new PtyRuntime({ log, closeGraceMs: 100, socketDir: socketDirOf(folder) }),
      cleanUp,
      contained,
    });
  describeRuntime({
    name: 'tmux in bubblewrap',
    create: (folder) => new TmuxRuntime({ log, socketDir: socketDirOf(folder), instanceId: 'test' }),
    cleanUp,
    contained,
  });
});
