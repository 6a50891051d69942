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
    const id = await pidWithin(pid);
    if (id !== undefined) inside.push(id);
  }
  return inside.length === 0 ? undefined : Math.min(...inside);
}

/**
 * The id on this machine of a process in a container, of which the engine tells the first. The first's where the engine's
 * processes cannot be seen from here.
 */
export async function hostPid(enginePid: number, pidInside: number): Promise<number> {
  const folders = await findCgroup(enginePid);
  const pids = folders === undefined ? [] : await cgroupProcesses(folders).catch(() => []);
  for (const pid of pids) if ((await pidWithin(pid)) === pidInside) return pid;
  return enginePid;
}

/** The id that a process has inside of its own space; undefined where it is gone. */
async function pidWithin(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const id = /^NSpid:.*\s(\d+)$/m.exec(status)?.[1];
  return id === undefined ? undefined : Number(id);
}
