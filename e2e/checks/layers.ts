import { builtinModules } from 'node:module';
import type { Import, Source } from './sources.ts';

/** The most lines a source file may have. */
export const MAX_LINES = 500;

/** What the files of one layer may import. The first layer whose folder holds a file is the file's. */
interface Layer {
  readonly name: string;
  readonly folder: string;
  /** Folders of the checkout it may import from. */
  readonly folders: readonly string[];
  /** Whether Node's builtins are there. */
  readonly builtins: boolean;
  /** The packages it may import; without a list, every package that is not some layer's own (OWNED). */
  readonly packages?: readonly string[];
  /** A folder whose subfolders do not import one another. */
  readonly siblings?: string;
}

const LAYERS: readonly Layer[] = [
  {
    name: 'shared',
    folder: 'src-shared/',
    folders: ['src-shared/'],
    builtins: false,
    packages: ['zod', '@orpc/contract'],
  },
  {
    name: 'renderer',
    folder: 'src-renderer/',
    folders: ['src-shared/', 'src-renderer/'],
    builtins: false,
    siblings: 'src-renderer/features/',
  },
  {
    name: 'guests',
    folder: 'src-main/guests/',
    folders: ['src-shared/', 'src-main/guests/'],
    builtins: true,
    siblings: 'src-main/guests/',
  },
  { name: 'core', folder: 'src-main/core/', folders: ['src-shared/', 'src-main/core/'], builtins: true },
  {
    name: 'electron host',
    folder: 'src-main/hosts/electron/',
    folders: ['src-shared/', 'src-main/core/', 'src-main/hosts/'],
    builtins: true,
  },
  {
    name: 'hosts',
    folder: 'src-main/hosts/',
    folders: ['src-shared/', 'src-main/core/', 'src-main/hosts/headless/', 'src-main/hosts/cli/'],
    builtins: true,
  },
  { name: 'e2e', folder: 'e2e/', folders: ['e2e/', 'src-shared/', 'src-main/', 'src-renderer/', 'bin/'], builtins: true },
];

/** Tests, and what only they use: folders `testing`, programs `fixture-…` they start, suites `conformance.ts` they share. */
const TEST_FILE = /\.test\.tsx?$|(^|\/)testing\/|(^|\/)(conformance|fixture-[^/]+)\.ts$/;

/** What a test beside a source may import on top of its layer. */
const TESTS_MAY = { folders: ['e2e/support/'], packages: ['vitest', 'fast-check'] };

/** Packages that belong to some folders only. */
const OWNED: ReadonlyMap<string, readonly string[]> = new Map([
  ['electron', ['src-main/hosts/electron/']],
  ['better-sqlite3', ['src-main/core/store/', 'e2e/']],
]);

const BUILTINS: ReadonlySet<string> = new Set(builtinModules);

/** Every breach of the layers by one file, each as one line that can be clicked on. */
export function breachesOf(source: Source): string[] {
  const layer = LAYERS.find(({ folder }) => source.path.startsWith(folder));
  if (layer === undefined) return [`${source.path}: lies in no layer`];
  const breaches = source.imports.flatMap((imported) => {
    const why = breachOf(source.path, layer, imported);
    return why === undefined ? [] : [`${source.path}:${imported.line}: '${imported.specifier}' — ${why}`];
  });
  if (source.lines > MAX_LINES) breaches.push(`${source.path}: ${source.lines} lines, at most ${MAX_LINES}`);
  if (/(^|\/)index\.tsx?$/.test(source.path)) breaches.push(`${source.path}: a barrel; import the file that holds the thing`);
  return breaches;
}

/** What several siblings need: they may import it, and it imports none of them. */
const SHARED_BY_SIBLINGS = 'common';

function breachOf(from: string, layer: Layer, imported: Import): string | undefined {
  const isTest = TEST_FILE.test(from);
  if (imported.specifier.startsWith('../../')) return 'use the # alias of the layer';
  if (imported.target.kind === 'file') {
    const { path } = imported.target;
    const folders = isTest ? [...layer.folders, ...TESTS_MAY.folders] : layer.folders;
    if (!folders.some((folder) => path.startsWith(folder))) return `${layer.name} may not import ${path}`;
    if (!isTest && layer.name !== 'e2e' && TEST_FILE.test(path)) return 'only tests may';
    const mine = subfolder(from, layer.siblings);
    const theirs = subfolder(path, layer.siblings);
    if (mine !== undefined && theirs !== undefined && mine !== theirs && theirs !== SHARED_BY_SIBLINGS)
      return `${mine} and ${theirs} are siblings`;
    return undefined;
  }
  const { name } = imported.target;
  if (BUILTINS.has(name)) return "write Node's builtins with node:";
  if (name.startsWith('node:')) return layer.builtins || isTest ? undefined : `${layer.name} runs without Node`;
  const owners = OWNED.get(name);
  if (owners !== undefined)
    return owners.some((owner) => from.startsWith(owner)) ? undefined : `only ${owners.join(' and ')} may`;
  if (isTest && TESTS_MAY.packages.includes(name)) return undefined;
  if (layer.packages !== undefined && !layer.packages.includes(name)) return `${layer.name} may not import this package`;
  return undefined;
}

/** The name of the folder right under `parent` that holds a path; undefined for what lies beside such folders. */
function subfolder(path: string, parent: string | undefined): string | undefined {
  if (parent === undefined || !path.startsWith(parent)) return undefined;
  const [name, ...rest] = path.slice(parent.length).split('/');
  return rest.length === 0 ? undefined : name;
}
