/** Pids inside a box and outside it: one process has one in each name space that sees it (pid_namespaces(7)). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** All pids of a process, this machine's first, the innermost last; empty when it is gone. */
function pidsOf(pid: number): number[] {
  try {
    const line = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return line === undefined ? [pid] : line.trim().split(/\s+/).map(Number);
  } catch {
    return [];
  }
}

function nameSpaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** What a process is to itself. */
export function pidInside(pid: number): number {
  return pidsOf(pid).at(-1) ?? 0;
}

/** The pid on this machine of a process that is `inside` to `neighbour`, which runs; 0 when there is none. */
export function pidOnHost(neighbour: number, inside: number): number {
  const space = nameSpaceOf(neighbour);
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    if (pidInside(pid) === inside && nameSpaceOf(pid) === space) return pid;
  }
  return 0;
}
