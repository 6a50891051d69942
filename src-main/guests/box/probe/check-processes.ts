/** What of other processes can be seen: none may be there, and nothing secret in the environment of any. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { BoxProbe } from '#shared/box/model.ts';
import { lineCommand } from '#shared/box/places.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { broken, held, tryCheck } from './check.ts';

/** Everything about processes. */
export function checkProcesses(probe: BoxProbe): ProofCheck[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return [
    tryCheck('processes', 'See processes of others', 'list /proc', () => {
      const own = ancestors();
      const foreign = pids.filter((pid) => !own.has(pid) && !isLine(pid));
      const name = (pid: string): string => `${pid} ${read(`/proc/${pid}/comm`).trim()}`;
      return foreign.length === 0
        ? held(pids.map(name).join(', '))
        : broken(`${foreign.length} others: ${foreign.map(name).join(', ')}`);
    }),
    tryCheck('environment', "Read the host's environment", 'search environment and arguments of every process', () => {
      const hidden = new Set(probe.hiddenValues.hashes);
      const values = new Set(pids.flatMap((pid) => [...valuesOf(`/proc/${pid}/environ`), ...words(`/proc/${pid}/cmdline`)]));
      const isShown = [...values].some((value) => hidden.has(digest(probe.hiddenValues.salt, value)));
      const names = pids.length === 1 ? 'one process' : `${pids.length} processes`;
      return isShown
        ? broken('a value is there that must not be')
        : held(`${names} searched for ${hidden.size} values, none there`);
    }),
  ];
}

/** This process and its parents, up to the first of the box. */
function ancestors(): Set<string> {
  const found = new Set<string>();
  for (let pid = String(process.pid); pid !== '0' && pid !== '' && !found.has(pid);) {
    found.add(pid);
    pid = parentOf(pid);
  }
  return found;
}

function parentOf(pid: string): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? '';
}

/** The other end of the box's line, by its whole command: the engine started it, so its parent is not in the box. */
function isLine(pid: string): boolean {
  const { arch } = process;
  if (arch !== 'x64' && arch !== 'arm64') return false;
  return parentOf(pid) === '0' && words(`/proc/${pid}/cmdline`).join('\0') === lineCommand(arch).join('\0');
}

const digest = (salt: string, value: string): string => createHash('sha256').update(salt).update(value).digest('hex');

/** Texts that end in NUL, as the kernel shows environment and arguments. */
const words = (path: string): string[] =>
  read(path)
    .split('\0')
    .filter((word) => word !== '');

const valuesOf = (path: string): string[] => words(path).map((word) => word.slice(word.indexOf('=') + 1));

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // Ended, or not readable: then nothing can be read there.
  }
}
