/** Signals to the processes of an agent, found in /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Sends a signal to every process group among the descendants of a process, itself left out where it leads a group of its own.
 * Groups, because a shell's jobs are in groups of theirs; each gets it once.
 */
export function signalTree(ancestor: number, signal: NodeJS.Signals): void {
  const processes = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name in brackets may hold anything: what counts comes after the last bracket (proc(5): state, ppid, pgrp).
      const [, ppid = '', pgrp = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(name), ppid: Number(ppid), pgrp: Number(pgrp) }];
    } catch {
      return [];
    }
  });
  const tree = new Set([ancestor]);
  for (let size = 0; size !== tree.size;) {
    size = tree.size;
    for (const { pid, ppid } of processes) if (tree.has(ppid)) tree.add(pid);
  }
  const groups = new Set(processes.filter(({ pid }) => pid !== ancestor && tree.has(pid)).map(({ pgrp }) => pgrp));
  for (const group of groups) {
    try {
      process.kill(-group, signal);
    } catch {
      // It has just ended.
    }
  }
}
