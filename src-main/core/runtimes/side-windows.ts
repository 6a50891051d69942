/** The windows beside an agent's main one: what its processes use, and a worker's queue. Shown by tmux; other runtimes have none. */
import type { SideWindow } from './runtime.ts';

/**
 * The side windows of an agent: `monitor`, and `queue` where there is a queue file.
 * `scriptPath` is the absolute path of `assets/scripts/agent-window.sh` outside any archive. The runtime tells the script
 * the agent's pid (QUARTERDECK_MAIN_PID).
 */
export function sideWindowsFor(options: { scriptPath: string; queueFile?: string }): readonly SideWindow[] {
  const monitor: SideWindow = { name: 'monitor', argv: ['bash', options.scriptPath, 'monitor'] };
  if (options.queueFile === undefined) return [monitor];
  return [monitor, { name: 'queue', argv: ['bash', options.scriptPath, 'queue', options.queueFile] }];
}
