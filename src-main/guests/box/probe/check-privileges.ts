/** What the process may do beyond its user: capabilities, set-user bits, system calls, another user's rights. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { BoxProbe } from '#shared/box/model.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { codeOf } from '../error-code.ts';
import type { Finding } from './check.ts';
import { broken, check, held, tryCheck, unknown } from './check.ts';

/** Where util-linux and busybox have it. */
const UNSHARE = ['/usr/bin/unshare', '/bin/unshare'];

/** What a user name space shows for groups that are not in it (user_namespaces(7)); in bubblewrap the operator's own. */
const OVERFLOW_GID = 65_534;

/** Reads `/proc/self/status` back, and tries to become somebody else. */
export function checkPrivileges(probe: BoxProbe): ProofCheck[] {
  const status = new Map(
    readFileSync('/proc/self/status', 'utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const),
  );
  return [
    tryCheck('capabilities', 'Hold a capability', 'read CapInh, CapPrm, CapEff, CapBnd and CapAmb in /proc/self/status', () => {
      const names = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
      const sets = names.map((name) => [name, status.get(name)] as const);
      if (sets.some(([, set]) => set === undefined || !/^[0-9a-f]+$/.test(set))) return unknown('the kernel does not tell');
      const found = sets.map(([name, set]) => `${name} ${set}`).join(', ');
      return sets.every(([, set]) => /^0+$/.test(set ?? '')) ? held(found) : broken(found);
    }),
    tryCheck('no-new-privileges', 'Gain rights by a set-user program', 'read NoNewPrivs in /proc/self/status', () => {
      const value = status.get('NoNewPrivs');
      if (value === undefined) return unknown('the kernel does not tell');
      return value === '1' ? held('NoNewPrivs 1') : broken(`NoNewPrivs ${value}`);
    }),
    tryCheck('seccomp', 'Call the kernel without a filter', 'read Seccomp in /proc/self/status', () => {
      const value = status.get('Seccomp');
      if (value === undefined) return unknown('the kernel does not tell');
      return value === '2'
        ? held('Seccomp 2: system calls are filtered')
        : broken(`Seccomp ${value}: system calls are not filtered`);
    }),
    tryCheck('user', 'Run as somebody else', 'read uid, gid and groups', () => {
      const [uid, gid] = [process.getuid?.(), process.getgid?.()];
      const others = (process.getgroups?.() ?? []).filter((group) => group !== gid && group !== OVERFLOW_GID);
      const found = `uid ${uid}, gid ${gid}, ${others.length === 0 ? 'no other groups' : `groups ${others.join(' ')}`}`;
      return uid === probe.user.uid && gid === probe.user.gid && others.length === 0 ? held(found) : broken(found);
    }),
    tryChange('become-root', 'Become another user', `setuid(${process.getuid?.() === 0 ? 1 : 0})`, () =>
      process.setuid?.(process.getuid?.() === 0 ? 1 : 0),
    ),
    tryChange('change-groups', 'Take another group', 'setgroups([0, 1])', () => process.setgroups?.([0, 1])),
  ];
}

/** Something the kernel must refuse. Where it does not, this process has changed: the proof fails, and nothing is started. */
function tryChange(id: string, title: string, tried: string, change: () => void): ProofCheck {
  let finding: Finding;
  try {
    change();
    finding = broken('it was allowed');
  } catch (error) {
    finding = held(codeOf(error));
  }
  return check(id, title, tried, finding);
}

/**
 * Tries to make namespaces of its own and to mount in them, with the image's own tool. An image without it, or a machine too
 * slow for it, leaves this unknown: capabilities and filter, which are read back, forbid the same.
 */
export function checkNamespaces(deadlineMs: number): Promise<ProofCheck> {
  const id = 'mount';
  const title = 'Mount a file system';
  const path = UNSHARE.find((one) => existsSync(one));
  const tried = 'unshare --user --map-root-user --mount, then mount';
  if (path === undefined) return Promise.resolve(check(id, title, tried, unknown('the image has no unshare to try it with')));
  return new Promise((resolve) => {
    const child = spawn(path, ['--user', '--map-root-user', '--mount', 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    const done = (finding: Finding): void => {
      clearTimeout(timer);
      resolve(check(id, title, tried, finding));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      done(unknown(`no answer in ${deadlineMs} ms`));
    }, deadlineMs);
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    child.once('error', (error) => done(unknown(codeOf(error))));
    child.once('close', (code) => {
      done(
        code === 0 ? broken('namespaces of its own were made, with all rights in them') : held(said.trim().split('\n')[0] ?? ''),
      );
    });
  });
}
