/**
 * Whether a file may be the work of an agent in a box: then what it says is a proposal, and no order of the operator's.
 * Every place on the way to the file is looked at, links included: whoever can write one of them chooses what is read.
 */
import { lstat, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Boundary } from '#shared/runtimes/model.ts';

/** A folder that an agent in a box can write. */
export interface AgentFolder {
  readonly agentId: AgentId;
  readonly boundary: Boundary;
  /** Absolute, on this machine. */
  readonly folder: string;
}

/** Links followed before a path is taken for endless, as Linux does. */
const MAX_LINKS = 40;

/** The folder through which an agent could have written the file, or a link on the way to it; undefined when none could. */
export async function agentBehind(file: string, folders: readonly AgentFolder[]): Promise<AgentFolder | undefined> {
  const real = await Promise.all(
    folders.map(async (one) => ({ ...one, folder: await realpath(one.folder).catch(() => one.folder) })),
  );
  for (const place of await placesOnTheWay(file)) {
    const found = real.find(({ folder }) => place === folder || place.startsWith(folder + sep));
    if (found) return found;
  }
  return undefined;
}

/** Every file and folder that is looked up on the way to a file, by its place without links. */
async function placesOnTheWay(file: string): Promise<string[]> {
  const places: string[] = [];
  let rest = resolve(file).split(sep).filter(Boolean);
  let at: string = sep;
  for (let links = 0; rest.length > 0;) {
    const [name = '', ...behind] = rest;
    const next = name === '..' ? resolve(at, '..') : join(at, name);
    places.push(next);
    const isLink = await lstat(next).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    if (!isLink) {
      [at, rest] = [next, behind];
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) break;
    const target = await readlink(next);
    const parts = target.split(sep).filter((part) => part !== '' && part !== '.');
    rest = [...parts, ...behind];
    if (isAbsolute(target)) at = sep;
  }
  return places;
}
