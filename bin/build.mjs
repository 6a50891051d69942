/**
 * Builds `out/` with vite, target by target. Prints on stderr only, because the CLI's stdout belongs to its commands.
 *
 *   node bin/build.mjs             builds everything
 *   node bin/build.mjs --if-stale  builds the targets whose sources changed since their last build
 *   node bin/build.mjs --prepare   as --if-stale, and does nothing where the build tools are not installed
 *   node bin/build.mjs --gallery   builds the gallery of the window's primitives, where stale, and nothing else
 *   node bin/build.mjs --guests    builds the programs that run in boxes, where stale, and nothing else
 *
 * A target's stamp holds two digests of its inputs: of names, sizes and mtimes (a few milliseconds, taken on every start)
 * and of contents (taken when the first differs, so that a fresh checkout or a `touch` builds nothing).
 * A target is built in a folder of its own and swapped in by rename; a lock folder keeps two builders apart.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'out');
const lock = join(out, '.lock');

/** How long a builder waits for another one's lock. A full build takes some seconds. */
const LOCK_DEADLINE_MS = 120_000;

/** Inputs of every target besides its folders. */
const COMMON = ['src-shared', 'package.json', 'package-lock.json', 'vite.config.ts', 'tsconfig.base.json'];

/**
 * The targets: vite's mode is the name and the folder in out/ too. `entry` is what the target starts from. A target with
 * `guests` is built once for each of them that is there, each into one file that needs no package beside it.
 * @type {readonly {name: string, entry: string, inputs: readonly string[], made: string, guests?: readonly string[]}[]}
 */
const TARGETS = [
  { name: 'node', entry: 'src-main/hosts/cli/main.ts', inputs: ['src-main'], made: 'cli.js' },
  { name: 'main', entry: 'src-main/hosts/electron/main.ts', inputs: ['src-main'], made: 'main.js' },
  {
    name: 'guests',
    entry: 'src-main/guests/box/main.ts',
    inputs: ['src-main/guests'],
    made: 'box.js',
    guests: ['box', 'worker', 'gateway'],
  },
  { name: 'preload', entry: 'src-main/hosts/electron/preload.ts', inputs: ['src-main/hosts/electron'], made: 'preload.cjs' },
  { name: 'renderer', entry: 'src-renderer/index.html', inputs: ['src-renderer', 'assets'], made: 'index.html' },
];

/** Every primitive of the window in all its states, for designers and for tests. No part of the product: only built when asked for. */
const GALLERY = {
  name: 'gallery',
  entry: 'src-renderer/gallery/gallery.html',
  inputs: ['src-renderer/ui', 'src-renderer/gallery', 'assets/fonts'],
  made: 'gallery.html',
};

/** @typedef {{meta: string, content: string}} Stamp */

/**
 * All files under a path, tests left out, in a fixed order.
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$|tsconfig.*\.json$|\.tsbuildinfo$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** @param {{inputs: readonly string[]}} target */
function inputsOf(target) {
  return [...COMMON, ...target.inputs].flatMap((path) => filesUnder(join(root, path)));
}

/** @param {string[]} files */
function metaDigest(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const stat = statSync(file, { throwIfNoEntry: false });
    hash.update(`${relative(root, file)}\0${stat?.size}\0${stat?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** @param {string[]} files */
function contentDigest(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${relative(root, file)}\0`);
    hash.update(existsSync(file) ? readFileSync(file) : '');
    hash.update('\0');
  }
  return hash.digest('hex');
}

/** @param {string} name */
const stampPath = (name) => join(out, `.stamp-${name}.json`);

/**
 * The stamp of the last build, or undefined where there is none or it cannot be read.
 * @param {string} name
 * @returns {Stamp | undefined}
 */
function readStamp(name) {
  try {
    const stamp = /** @type {Stamp} */ (JSON.parse(readFileSync(stampPath(name), 'utf8')));
    return stamp;
  } catch {
    return undefined;
  }
}

/**
 * Those of the targets that must be built, each with the stamp its build will get.
 * @param {typeof TARGETS} targets
 */
function staleTargets(targets) {
  const stale = [];
  for (const target of targets) {
    if (!existsSync(join(root, target.entry))) continue;
    const files = inputsOf(target);
    const meta = metaDigest(files);
    const last = existsSync(join(out, target.name, target.made)) ? readStamp(target.name) : undefined;
    if (last?.meta === meta) continue;
    const content = contentDigest(files);
    if (last?.content === content) writeFileSync(stampPath(target.name), JSON.stringify({ meta, content }));
    else stale.push({ target, stamp: { meta, content } });
  }
  return stale;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Takes the lock, waiting for a living holder and breaking a dead one's. */
async function takeLock() {
  mkdirSync(out, { recursive: true });
  const deadline = Date.now() + LOCK_DEADLINE_MS;
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    const pidFile = join(lock, 'pid');
    const holder = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : undefined;
    // A holder writes its id right after making the folder: a lock without one for seconds has no holder.
    if (holder ? !isAlive(holder) : age > 5_000) rmSync(lock, { recursive: true, force: true });
    else if (Date.now() > deadline) throw new Error(`another build (process ${holder}) has held ${lock} for too long`);
    else await new Promise((done) => setTimeout(done, 100));
  }
}

/** The Node that runs vite: the checkout's own, else the one running this file. */
function nodeBinary() {
  const own = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  return existsSync(own) && process.platform !== 'win32' ? own : process.execPath;
}

/**
 * Runs vite for one target.
 * @param {string} name
 * @param {Record<string, string>} env
 */
async function runVite(name, env) {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const child = spawn(nodeBinary(), [vite, 'build', '--mode', name, '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, NODE_ENV: 'production', ...env },
  });
  /** @type {number | null} */
  const code = await new Promise((done, failed) => void child.once('error', failed).once('exit', done));
  if (code !== 0) throw new Error(`vite build --mode ${name} ended with ${code}`);
}

/**
 * Builds one target beside `out` and swaps it in.
 * @param {{target: {name: string, guests?: readonly string[]}, stamp: Stamp}} job
 */
async function buildTarget({ target, stamp }) {
  const next = join(out, `.next-${target.name}`);
  const old = join(out, `.old-${target.name}`);
  const env = { QUARTERDECK_BUILD_OUT: next };
  if (target.guests === undefined) await runVite(target.name, env);
  else {
    rmSync(next, { recursive: true, force: true });
    const present = target.guests.filter((guest) => existsSync(join(root, 'src-main/guests', guest, 'main.ts')));
    for (const guest of present) await runVite(target.name, { ...env, QUARTERDECK_GUEST: guest });
    // Without it, Node would look for one in the folders above, and find none inside a box.
    writeFileSync(join(next, target.name, 'package.json'), '{ "type": "module" }\n');
  }
  const place = join(out, target.name);
  rmSync(old, { recursive: true, force: true });
  if (existsSync(place)) renameSync(place, old);
  renameSync(join(next, target.name), place);
  rmSync(old, { recursive: true, force: true });
  rmSync(next, { recursive: true, force: true });
  writeFileSync(stampPath(target.name), JSON.stringify(stamp));
}

/** Whether this is a checkout with its build tools: a packaged install has neither sources nor vite. */
export function canBuild() {
  return existsSync(join(root, 'src-main')) && existsSync(join(root, 'node_modules', 'vite', 'bin', 'vite.js'));
}

/**
 * Builds what is stale (or everything) of the product, or only the gallery or the guests. Throws when a build fails; nothing of a failed
 * target is swapped in.
 * @param {{all?: boolean, gallery?: boolean, guests?: boolean}} [options]
 */
export async function build(options = {}) {
  const targets = options.gallery ? [GALLERY] : TARGETS.filter(({ name }) => !options.guests || name === 'guests');
  if (options.all) for (const { name } of targets) rmSync(stampPath(name), { force: true });
  if (staleTargets(targets).length === 0) return;
  await takeLock();
  try {
    // Again under the lock: another builder may have done it meanwhile.
    const jobs = staleTargets(targets);
    if (jobs.length === 0) return;
    const startedAt = Date.now();
    process.stderr.write(`building ${jobs.map(({ target }) => target.name).join(', ')}…\n`);
    const results = await Promise.allSettled(jobs.map(buildTarget));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    process.stderr.write(`built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]).split(sep).join('/').endsWith('bin/build.mjs')) {
  const flags = process.argv.slice(2);
  if (flags.includes('--prepare') && !canBuild()) process.exit(0);
  try {
    const gallery = flags.includes('--gallery');
    const guests = flags.includes('--guests');
    await build({ gallery, guests, all: !gallery && !guests && !flags.includes('--if-stale') && !flags.includes('--prepare') });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
