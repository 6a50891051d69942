/** For specs: containers of one data folder's agents. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LABEL } from '#core/runtimes/docker/container-options.ts';

const run = promisify(execFile);

/** What a command printed. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the engine's own client. */
export function docker(...argv: readonly string[]): Promise<Printed> {
  return run('docker', [...argv], { maxBuffer: 64 * 2 ** 20 });
}

/** Runs a command in a container, as the agent's user. */
export function insideContainer(container: string, ...argv: readonly string[]): Promise<Printed> {
  return docker('exec', container, ...argv);
}

/** Ids of the containers that mount something of a data folder, whatever their state. */
async function containersOf(dataDir: string, ...filters: readonly string[]): Promise<string[]> {
  const { stdout } = await docker('ps', '--all', '--quiet', '--no-trunc', ...filters.flatMap((filter) => ['--filter', filter]));
  const found: string[] = [];
  for (const id of stdout.split('\n').filter((line) => line !== '')) {
    // One of another spec may have gone meanwhile.
    const mounts = await docker('inspect', '--format', '{{json .Mounts}}', id).catch(() => undefined);
    if (mounts?.stdout.includes(dataDir)) found.push(id);
  }
  return found;
}

/** The container of an agent that runs, paused or not. */
export async function containerOf(dataDir: string, agentId: string): Promise<string> {
  const [id] = await containersOf(dataDir, `label=${LABEL.agent}=${agentId}`, 'status=running', 'status=paused');
  if (id === undefined) throw new Error(`no container of agent ${agentId} runs`);
  return id;
}

/** Removes the containers of a data folder's agents: those of agents that ended keep their last screen until then. */
export async function removeContainers(dataDir: string): Promise<void> {
  for (const id of await containersOf(dataDir, `label=${LABEL.agent}`)) await docker('rm', '--force', id);
}
