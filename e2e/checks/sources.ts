import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { parseSync } from 'vite';

/** The checkout. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** The trees whose imports are checked. */
const TREES = ['src-shared', 'src-main', 'src-renderer', 'e2e'];

/** Node subpath imports, as package.json#imports states them: `#shared/` -> `src-shared/`. */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries(readPackageJson().imports ?? {}).map(([alias, path]) => [
    alias.replace('*', ''),
    path.slice(2).replace('*', ''),
  ]),
);

/** One import of a file, of any kind: static, dynamic, re-export, `import type`, `import('x').T`, or `require`. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  /** Where it leads: a path in the checkout (`src-shared/kernel/ids.ts`), or the package's or builtin's name. */
  readonly target: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'package'; readonly name: string };
}

/** A source file and what it imports. */
export interface Source {
  /** From the checkout, with `/`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

/** The parts of package.json the checks read. */
export interface PackageJson {
  readonly name?: string;
  readonly imports?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

/** A package.json: the checkout's own, or the one at `path`. */
export function readPackageJson(path = join(ROOT, 'package.json')): PackageJson {
  return JSON.parse(readFileSync(path, 'utf8')) as PackageJson;
}

/** All files under a folder of the checkout, as paths from the checkout with `/`, in a fixed order. */
export function listFiles(folder: string): string[] {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Every TypeScript source of the four trees, parsed. */
export function readSources(): Source[] {
  return TREES.flatMap(listFiles)
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => readSource(path, readFileSync(join(ROOT, path), 'utf8')));
}

/** One file's imports. A syntax error is an error here too: an unread file would pass every check. */
export function readSource(path: string, text: string): Source {
  const parsed = parseSync(path, text);
  const [error] = parsed.errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const imports = specifiersOf(parsed.program).map(({ specifier, start }) => ({
    specifier,
    line: text.slice(0, start).split('\n').length,
    target: resolveSpecifier(path, specifier),
  }));
  return { path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0), imports };
}

/** Where a specifier written in the file at `from` leads. */
function resolveSpecifier(from: string, specifier: string): Import['target'] {
  if (specifier.startsWith('.')) return { kind: 'file', path: posix.join(dirname(from), specifier) };
  for (const [alias, folder] of ALIASES) {
    if (specifier.startsWith(alias)) return { kind: 'file', path: posix.join(folder, specifier.slice(alias.length)) };
  }
  return { kind: 'package', name: packageName(specifier) };
}

/** `@orpc/server/ws` -> `@orpc/server`; `node:fs/promises` -> `node:fs/promises` (a builtin has no package). */
export function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

type Found = { readonly specifier: string; readonly start: number };

/** The specifiers in a syntax tree (ESTree with TypeScript's nodes), found by walking all of it. */
function specifiersOf(node: unknown): Found[] {
  if (Array.isArray(node)) return node.flatMap(specifiersOf);
  if (typeof node !== 'object' || node === null) return [];
  const source = isImporting(node) ? literalOf(node) : undefined;
  const inside = Object.values(node).flatMap(specifiersOf);
  return source === undefined ? inside : [source, ...inside];
}

const IMPORTING = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
  'TSExternalModuleReference',
]);

function isImporting(node: object): boolean {
  if (!('type' in node) || typeof node.type !== 'string') return false;
  if (IMPORTING.has(node.type)) return true;
  return node.type === 'CallExpression' && 'callee' in node && isNamed(node.callee, 'require');
}

const isNamed = (node: unknown, name: string): boolean =>
  typeof node === 'object' && node !== null && 'name' in node && node.name === name;

/** The string literal an importing node names its module by; undefined where there is none (`export { x }`). */
function literalOf(node: object): Found | undefined {
  const candidates: unknown[] = [];
  if ('source' in node) candidates.push(node.source);
  if ('expression' in node) candidates.push(node.expression);
  if ('arguments' in node && Array.isArray(node.arguments)) candidates.push(node.arguments[0]);
  for (const candidate of candidates) {
    if (typeof candidate !== 'object' || candidate === null) continue;
    if (!('value' in candidate) || typeof candidate.value !== 'string') continue;
    return {
      specifier: candidate.value,
      start: 'start' in candidate && typeof candidate.start === 'number' ? candidate.start : 0,
    };
  }
  return undefined;
}
