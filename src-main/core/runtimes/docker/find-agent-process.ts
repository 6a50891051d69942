/** Finds the process of an agent in its container by looking at the container's processes, where these can be seen from here. */
import { readFile } from 'node:fs/promises';
import { RUN_VARIABLE } from '../process-table.ts';
import { cgroupProcesses, findCgroup } from './cgroup-files.ts';

/**
 * The id inside of the first process that was given a run's name; undefined when there is none, or they cannot be seen. Only
 * what a box was told to start has that name: a box that waits to be let go has no such process.
 */
export async function findAgentProcess(enginePid: number, runId: string): Promise<number | undefined> {
  const folders = await findCgroup(enginePid);
  const pids = folders === undefined ? [] : await cgroupProcesses(folders).catch(() => []);
  const inside: number[] = [];
  for (const pid of pids) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(`${RUN_VARIABLE}=${runId}`)) continue;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const id = /^NSpid:.*\s(\d+)$/m.exec(status)?.[1];
    if (id !== undefined) inside.push(Number(id));
  }
  return inside.length === 0 ? undefined : Math.min(...inside);
}
