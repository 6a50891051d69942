import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { builtinModules } from 'node:module';
import { packageName, readPackageJson, readSource, ROOT } from './sources.ts';

/** What can be reached from a built entry. */
export interface Reached {
  /** Built files, from the checkout. */
  readonly files: readonly string[];
  /** Packages that the built files import. */
  readonly imported: readonly string[];
  /** Those and all packages they depend on in node_modules, peers included where they are installed. */
  readonly packages: readonly string[];
}

const BUILTINS: ReadonlySet<string> = new Set(builtinModules);

/** Follows every import, static, dynamic and `require`, from the built entries at `entries` (paths from the checkout). */
export function reachedFrom(entries: readonly string[]): Reached {
  const files = new Set<string>();
  const imported = new Set<string>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    for (const { specifier, target } of readSource(path, readFileSync(join(ROOT, path), 'utf8')).imports) {
      if (target.kind === 'file') queue.push(posix.normalize(target.path));
      else if (!specifier.startsWith('node:') && !BUILTINS.has(specifier)) imported.add(packageName(specifier));
    }
  }
  return { files: [...files].sort(), imported: [...imported].sort(), packages: closureOf([...imported]) };
}

/** The packages and all they depend on, each looked up as Node does it: from the folder of the one that wants it. */
function closureOf(names: readonly string[]): string[] {
  const seen = new Map<string, string>();
  const queue = names.map((name) => ({ name, from: ROOT }));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const folder = findPackage(next.name, next.from);
    if (folder === undefined || seen.has(folder)) continue;
    seen.set(folder, next.name);
    const { dependencies, optionalDependencies, peerDependencies } = readPackageJson(join(folder, 'package.json'));
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      queue.push({ name, from: folder });
    }
  }
  return [...new Set(seen.values())].sort();
}

function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; folder.startsWith(ROOT); folder = join(folder, '..')) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
  }
  return undefined;
}
