/**
 * What the kernel itself says, outside, of the first process of a box: privileges, filter of system calls, user, name spaces.
 * The same for containers and for bubblewrap: whatever made the box, this is what holds.
 */
import { readFile, readlink } from 'node:fs/promises';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { messageOf } from '#shared/kernel/errors.ts';

/** What was found, and what it means. */
export type Outcome = Pick<ProofCheck, 'found' | 'outcome'>;

/** It holds. */
export const held = (found: string): Outcome => ({ found, outcome: 'held' });
/** It holds, or it is broken. */
export const judge = (isHeld: boolean, found: string): Outcome => ({ found, outcome: isHeld ? 'held' : 'broken' });
/** It could not be found out. */
export const unknown = (found: string): Outcome => ({ found, outcome: 'unknown' });

/** A check that was made outside of the box. */
export function outsideCheck(id: string, title: string, tried: string, outcome: Outcome): ProofCheck {
  return { id, title, tried, ...outcome, from: 'outside' };
}

function statusField(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim();
}

/**
 * What the kernel says of a process that is to run as `uid`; unknown where it cannot be read (another machine, hidepid), which
 * `unreadable` says in words. A pid of 0 is no process.
 */
export async function kernelChecks(pid: number, uid: number, unreadable: string): Promise<ProofCheck[]> {
  const what = `read /proc/${pid}/status on the host`;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch((error: unknown) => new Error(messageOf(error)));
  const read = (rule: (status: string) => Outcome): Outcome =>
    status instanceof Error || pid === 0 ? unknown(unreadable) : rule(status);
  const capabilities = read((text) => {
    const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => [name, statusField(text, name)] as const);
    return judge(
      sets.every(([, value]) => value === undefined || /^0+$/.test(value)) && statusField(text, 'CapEff') !== undefined,
      sets.map(([name, value]) => `${name} ${value?.replace(/^0+(?=.)/, '') ?? 'unknown'}`).join(', '),
    );
  });
  return [
    outsideCheck('kernel-capabilities', 'The kernel gives it no capability', what, capabilities),
    outsideCheck(
      'kernel-no-new-privileges',
      'It can gain no privileges',
      what,
      read((text) =>
        judge(statusField(text, 'NoNewPrivs') === '1', `NoNewPrivs ${statusField(text, 'NoNewPrivs') ?? 'unknown'}`),
      ),
    ),
    outsideCheck(
      'kernel-seccomp',
      'System calls are filtered',
      what,
      read((text) => judge(statusField(text, 'Seccomp') === '2', `Seccomp ${statusField(text, 'Seccomp') ?? 'unknown'}`)),
    ),
    outsideCheck(
      'kernel-user',
      `The kernel runs it as ${uid}`,
      what,
      read((text) => {
        const uids = (statusField(text, 'Uid') ?? '').split(/\s+/);
        return uids.every((one) => one === String(uid))
          ? held(`uid ${uids[0] ?? ''}`)
          : // A user name space (rootless engines) maps it: what it is inside is the probe's to say.
            judge(process.getuid?.() !== 0 || !uids.includes('0'), `uid ${uids.join(', ')} on the host`);
      }),
    ),
    outsideCheck(
      'kernel-namespaces',
      'It has name spaces of its own',
      `read /proc/${pid}/ns on the host`,
      await namespacesOutcome(pid, unreadable),
    ),
  ];
}

async function namespacesOutcome(pid: number, unreadable: string): Promise<Outcome> {
  const shared: string[] = [];
  for (const name of ['net', 'pid', 'mnt', 'ipc', 'uts']) {
    try {
      const [own, its] = await Promise.all([readlink(`/proc/self/ns/${name}`), readlink(`/proc/${pid}/ns/${name}`)]);
      if (own === its) shared.push(name);
    } catch {
      return unknown(unreadable);
    }
  }
  return shared.length === 0
    ? held('net, pid, mnt, ipc and uts are its own')
    : judge(false, `shared with the host: ${shared.join(', ')}`);
}
