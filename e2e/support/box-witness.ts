/** For specs: says from outside where the processes of an agent are. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';

/** Kinds of boxes, and why specs about one are left out here; undefined where none are. */
export const BOXES = [
  { kind: 'docker', boundary: 'container', draft: { runtime: 'docker' }, missing: ENGINE_MISSING },
  { kind: 'bubblewrap', boundary: 'bubblewrap', draft: { runtime: 'tmux', sandbox: 'bubblewrap' }, missing: bubblewrapMissing() },
] as const;

function bubblewrapMissing(): string | undefined {
  if (process.env['QD_REQUIRE_ALL'] === '1') return undefined;
  try {
    execFileSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'skipped: bubblewrap does not work on this machine';
  }
}

/** One process of an agent, with the name spaces that it is in. */
export interface SeenProcess {
  readonly pid: number;
  readonly pidSpace: string;
  readonly netSpace: string;
  readonly command: string;
}

/** The name spaces of this machine itself. */
export const HOST_SPACES = [spaceOf('self', 'pid'), spaceOf('self', 'net')] as const;

function spaceOf(pid: number | string, kind: 'pid' | 'net'): string {
  return readlinkSync(`/proc/${pid}/ns/${kind}`);
}

/** The processes on this machine, in whatever box, that have the agent's name in their environment. */
export function processesOfAgent(agentId: string): SeenProcess[] {
  const found: SeenProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(`QUARTERDECK_AGENT_ID=${agentId}`)) continue;
      found.push({
        pid: Number(name),
        pidSpace: spaceOf(name, 'pid'),
        netSpace: spaceOf(name, 'net'),
        command: readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim(),
      });
    } catch {
      // Gone meanwhile, or somebody else's.
    }
  }
  return found;
}

/** A command that notes each of its starts, with the name spaces it is in, in a file of its workspace. */
export function noting(agentId: string): string[] {
  return ['sh', '-c', `echo "$(readlink /proc/self/ns/pid) $(readlink /proc/self/ns/net)" >> starts-${agentId}; exec sleep 3600`];
}

/** What was noted: the name spaces of every start there ever was. */
export function startsNoted(folder: string, agentId: string): string[] {
  const file = join(folder, `starts-${agentId}`);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}
