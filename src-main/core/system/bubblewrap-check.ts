/** bubblewrap: it is there, and may make the namespaces that it needs, which some systems forbid. */
import type { SystemCheck } from '#shared/system/model.ts';
import { installCommand } from './install-command.ts';
import type { Probe } from './probe.ts';
import { ask, line, locate, problemOf, versionIn } from './probe.ts';

/** Looks for bubblewrap by really running a program in it. Never rejects. */
export async function checkBubblewrap(probe: Probe): Promise<SystemCheck> {
  const base = { id: 'bubblewrap', title: 'bubblewrap', group: 'runtimes' as const, loginState: null, version: null, path: null };
  if (process.platform !== 'linux')
    return { ...base, state: 'optional', detail: 'Only on Linux: here Docker contains agents', remedy: null };
  const path = await locate('bwrap', probe);
  if (path === undefined) {
    const remedy = await installCommand({ apt: 'bubblewrap', other: 'bubblewrap' }, probe);
    return { ...base, state: 'optional', detail: 'Optional, not found: it contains agents without Docker', remedy };
  }
  const version = versionIn(await ask(path, ['--version'], probe)) ?? null;
  const found = { ...base, path, version };
  const answer = await ask(path, ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--', 'true'], probe);
  if (answer.kind === 'ended' && answer.code === 0) return { ...found, state: 'ok', detail: line(version, path), remedy: null };
  const isForbidden = answer.kind === 'ended' && /namespace|permission|not permitted/i.test(answer.stderr);
  return {
    ...found,
    // Nobody needs it: what contains agents may be Docker.
    state: 'optional',
    detail: line(
      version,
      isForbidden ? 'This system forbids the namespaces that it needs' : 'It does not work',
      problemOf(answer),
      path,
    ),
    remedy: isForbidden ? await namespaceRemedy(probe) : null,
  };
}

/** The setting that forbids user namespaces here, as a command that allows them. */
async function namespaceRemedy(probe: Probe): Promise<string> {
  const names = ['kernel.apparmor_restrict_unprivileged_userns=0', 'kernel.unprivileged_userns_clone=1'];
  const sysctl = await locate('sysctl', probe);
  for (const name of names) {
    if (sysctl === undefined) break;
    const [key = '', wanted] = name.split('=');
    const answer = await ask(sysctl, ['-n', key], probe);
    if (answer.kind === 'ended' && answer.code === 0 && answer.stdout.trim() !== wanted) return `sudo sysctl -w ${name}`;
  }
  return 'sudo sysctl -w user.max_user_namespaces=15000';
}
