/**
 * The package that electron-builder makes of the build: what is in the archive and what beside it, the fuses, and that what
 * runs beside the app runs. It proves the packaging, not that the app boots: there is no real Electron in it
 * (e2e/support/electron/stub-dist.ts).
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { makeDataDir, removeDataDir } from '#e2e/support/core.ts';
import type { ArchivedFile } from '#e2e/support/electron/archive.ts';
import { filesOfArchive } from '#e2e/support/electron/archive.ts';
import { writeStubDist } from '#e2e/support/electron/stub-dist.ts';
import { InboxMessage } from '#shared/messages/model.ts';
import { RunInfo } from '#shared/system/model.ts';

const root = join(import.meta.dirname, '..', '..');
/** Packing takes some ten seconds on a quiet machine, in milliseconds. */
const PACK_TIMEOUT_MS = 180_000;

const PackageJson = z.object({ version: z.string() });
const version = (file: string): string => PackageJson.parse(JSON.parse(readFileSync(join(root, file), 'utf8'))).version;

let folder: string;
let app: string;
let files: readonly ArchivedFile[];

const resource = (...parts: string[]): string => join(app, 'resources', ...parts);
const unpacked = (...parts: string[]): string => resource('app.asar.unpacked', ...parts);

beforeAll(() => {
  if (!existsSync(join(root, 'out', 'main', 'main.js'))) execFileSync(process.execPath, ['bin/build.mjs'], { cwd: root });
  folder = mkdtempSync(join(tmpdir(), 'qd-package-'));
  const dist = join(folder, 'dist');
  mkdirSync(dist);
  writeStubDist(dist, version('node_modules/electron/package.json'));
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules', 'electron-builder', 'cli.js'),
      '--dir',
      '--linux',
      `--${process.arch}`,
      `-c.electronDist=${dist}`,
      `-c.directories.output=${join(folder, 'release')}`,
    ],
    // Nothing is fetched: an address that cannot be reached makes it fail at once instead of after minutes.
    { cwd: root, env: { ...process.env, ELECTRON_MIRROR: 'http://127.0.0.1:9/', npm_config_offline: 'true' }, stdio: 'pipe' },
  );
  const [name] = readdirSync(join(folder, 'release')).filter((entry) => entry.startsWith('linux'));
  if (name === undefined) throw new Error('electron-builder made no folder');
  app = join(folder, 'release', name);
  files = filesOfArchive(resource('app.asar'));
}, PACK_TIMEOUT_MS);

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe('the package', () => {
  it('holds the build and none of its sources', () => {
    const paths = new Set(files.map(({ path }) => path));
    for (const path of [
      'out/main/main.js',
      'out/preload/preload.cjs',
      'out/renderer/index.html',
      'out/node/cli.js',
      'package.json',
    ])
      expect(paths, path).toContain(path);
    const tops = new Set(files.map(({ path }) => path.split('/')[0]));
    expect(tops).toEqual(new Set(['LICENSE', 'assets', 'bin', 'node_modules', 'out', 'package.json']));
    const strays = files.filter(({ path }) => /^(src-|e2e\/|docs\/)|\.(ts|tsx|mts|cts|map)$/.test(path));
    expect(strays.map(({ path }) => path)).toEqual([]);
  });

  it('has in the archive what the window is made of, and beside it whatever Node runs', () => {
    const outside = (pattern: RegExp, isWanted: boolean): string[] =>
      files.filter(({ path, isUnpacked }) => pattern.test(path) && isUnpacked !== isWanted).map(({ path }) => path);
    expect(outside(/^out\/(main|preload|renderer)\//, false)).toEqual([]);
    expect(outside(/^(out\/node|bin|assets|node_modules)\//, true)).toEqual([]);
    expect(files.filter(({ path, isUnpacked }) => isUnpacked && !existsSync(unpacked(path)))).toEqual([]);
    for (const path of [
      'out/node/worker.js',
      'out/node/read-worker.js',
      'out/node/search-worker.js',
      'assets/scripts/agent-window.sh',
      'assets/icons/tray/idle-dark.png',
    ])
      expect(existsSync(unpacked(path)), path).toBe(true);
  });

  it('has native modules of this platform and of no other', () => {
    const native = files.filter(({ path }) => path.endsWith('.node')).map(({ path }) => path);
    expect(native).toContain(`node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`);
    expect(native).toContain('node_modules/node-pty/build/Release/pty.node');
    const other = process.arch === 'x64' ? 'arm64' : 'x64';
    expect(native.filter((path) => new RegExp(`darwin|win32|${other}`).test(path))).toEqual([]);
    expect(files.filter(({ path }) => /node-pty\/(src|deps|third_party)|better-sqlite3\/(src|deps)/.test(path))).toEqual([]);
  });

  it('has its fuses flipped: no Node, no inspector, nothing but the archive', async () => {
    const fuses = await getCurrentFuseWire(join(app, 'quarterdeck'));
    const isOn = (fuse: FuseV1Options): boolean => fuses[fuse] === FuseState.ENABLE;
    expect({
      runAsNode: isOn(FuseV1Options.RunAsNode),
      cookieEncryption: isOn(FuseV1Options.EnableCookieEncryption),
      nodeOptions: isOn(FuseV1Options.EnableNodeOptionsEnvironmentVariable),
      inspect: isOn(FuseV1Options.EnableNodeCliInspectArguments),
      integrity: isOn(FuseV1Options.EnableEmbeddedAsarIntegrityValidation),
      onlyAsar: isOn(FuseV1Options.OnlyLoadAppFromAsar),
      filePrivileges: isOn(FuseV1Options.GrantFileProtocolExtraPrivileges),
    }).toEqual({
      runAsNode: false,
      cookieEncryption: true,
      nodeOptions: false,
      inspect: false,
      integrity: true,
      onlyAsar: true,
      filePrivileges: false,
    });
  });

  it('brings the Node that the guests run on', () => {
    const node = resource('node', 'bin', 'node');
    expect(statSync(node).mode & 0o111).not.toBe(0);
    expect(execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()).toBe(process.version);
  });

  it('runs a core and a worker out of the unpacked files, on that Node', { timeout: 60_000 }, async () => {
    const dataDir = makeDataDir();
    const core = spawn(
      resource('node', 'bin', 'node'),
      [
        unpacked('bin', 'quarterdeck.mjs'),
        'serve',
        '--json',
        '--no-open',
        '--port',
        '0',
        '--agent-mcp-port',
        '0',
        '--stop-agents',
      ],
      {
        // Nothing of the checkout may be within its reach.
        cwd: dataDir,
        env: { PATH: process.env['PATH'], HOME: dataDir, QUARTERDECK_HOME: dataDir },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      const { apiUrl } = await readyLine(core);
      const token = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
      const post = async (path: string, body: unknown): Promise<unknown> => {
        const response = await fetch(`${apiUrl}/v1${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
        return response.json();
      };
      const work = join(dataDir, 'work');
      mkdirSync(work);
      await post('/agents', { id: 'packed', type: 'worker', runtime: 'pty', projectFolder: work });
      await post('/messages', {
        to: 'packed',
        kind: 'task',
        body: 'say so',
        data: { op: 'run', command: 'echo packed-$((40 + 2))' },
      });
      const Inbox = z.object({ messages: z.array(InboxMessage) });
      const { messages } = Inbox.parse(await post('/inbox:wait', { timeoutMs: 30_000 }));
      expect(JSON.stringify(messages[0]?.data)).toContain('packed-42');
    } finally {
      await ended(core);
      removeDataDir(dataDir);
    }
  });
});

function readyLine(core: ChildProcess): Promise<RunInfo> {
  return new Promise((resolve, reject) => {
    core.once('exit', (code) => reject(new Error(`the packaged core ended with code ${code}`)));
    if (core.stdout) createInterface({ input: core.stdout }).once('line', (line) => resolve(RunInfo.parse(JSON.parse(line))));
  });
}

async function ended(core: ChildProcess): Promise<void> {
  if (core.exitCode !== null || core.signalCode !== null) return;
  const gone = new Promise((resolve) => core.once('exit', resolve));
  core.kill('SIGTERM');
  await gone;
}
