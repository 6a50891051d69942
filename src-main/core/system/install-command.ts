/** The one command that installs something, by the package manager that this machine has. */
import type { Probe } from './probe.ts';
import { locate } from './probe.ts';

/** Names of a package; `other` where a manager has no name of its own. */
export interface PackageNames {
  readonly apt?: string;
  readonly brew?: string;
  readonly other: string;
}

/** What brings Docker. */
export const DOCKER_PACKAGE: PackageNames = { apt: 'docker.io', other: 'docker', brew: '--cask docker' };

const MANAGERS: readonly { readonly program: string; readonly key: 'apt' | 'other'; readonly install: string }[] = [
  { program: 'apt-get', key: 'apt', install: 'apt-get install -y' },
  { program: 'dnf', key: 'other', install: 'dnf install -y' },
  { program: 'pacman', key: 'other', install: 'pacman -S --noconfirm' },
  { program: 'zypper', key: 'other', install: 'zypper install -y' },
  { program: 'apk', key: 'other', install: 'apk add' },
];

/** For a terminal of the operator's; that of Debian's manager where none is found. */
export async function installCommand(names: PackageNames, probe: Probe): Promise<string> {
  if (process.platform === 'darwin') return `brew install ${names.brew ?? names.other}`;
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  for (const { program, key, install } of MANAGERS)
    if ((await locate(program, probe)) !== undefined) return `${sudo}${install} ${names[key] ?? names.other}`;
  return `${sudo}apt-get install -y ${names.apt ?? names.other}`;
}
