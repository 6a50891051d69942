import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunInfo } from '#shared/system/model.ts';
import { openDataDir, prepareFolders, removeRunFile, writeRunFile } from './data-folder.ts';
import { pathsOf } from './paths.ts';

/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'qd-data-')));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

const paths = () => pathsOf(join(dir, 'data'), { XDG_RUNTIME_DIR: join(dir, 'run') });
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('preparing the folders', () => {
  it('makes each of them readable by its owner only, whatever the mask says', () => {
    const before = process.umask(0);
    try {
      prepareFolders(paths());
    } finally {
      process.umask(before);
    }
    const { dataDir, secrets, agents, projects, sessions, templates, logs, backups, socketDir } = paths();
    for (const path of [dataDir, secrets, agents, projects, sessions, templates, logs, backups, socketDir])
      expect([path, modeOf(path)]).toEqual([path, '700']);
  });

  it('closes one that others can read, and keeps what is in it', () => {
    mkdirSync(paths().dataDir);
    writeFileSync(join(paths().dataDir, 'file'), 'kept');
    chmodSync(paths().dataDir, 0o777);
    prepareFolders(paths());
    expect(modeOf(paths().dataDir)).toBe('700');
    expect(readFileSync(join(paths().dataDir, 'file'), 'utf8')).toBe('kept');
  });

  it('refuses a link in the place of a folder, and does not touch where it leads', () => {
    mkdirSync(join(dir, 'elsewhere'), { mode: 0o755 });
    mkdirSync(join(dir, 'run'));
    symlinkSync(join(dir, 'elsewhere'), paths().socketDir);
    expect(() => prepareFolders(paths())).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', message: containing('may be a link') }),
    );
    expect(modeOf(join(dir, 'elsewhere'))).toBe('755');
    expect(lstatSync(paths().socketDir).isSymbolicLink()).toBe(true);
  });

  it('refuses a folder that somebody else made', () => {
    prepareFolders(paths());
    // As another user: to make a folder that is not ours takes rights that a test should not have.
    const owner = statSync(dir).uid;
    vi.spyOn(process, 'getuid').mockReturnValue(owner + 1);
    expect(() => prepareFolders(paths())).toThrow(/belongs to another user/);
  });

  it('says so when a file is in the way, or the place cannot be written', () => {
    writeFileSync(paths().dataDir, 'a file');
    expect(() => prepareFolders(paths())).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', message: containing('--data-dir') }),
    );
    expect(readFileSync(paths().dataDir, 'utf8')).toBe('a file');
    expect(() => openDataDir(join(paths().dataDir, 'below a file'))).toThrow(/cannot be used/);
  });
});

it('knows the data folder by its real path, whatever way leads there', () => {
  mkdirSync(join(dir, 'disk'));
  symlinkSync(join(dir, 'disk'), join(dir, 'link'));
  expect(openDataDir(join(dir, 'link', 'data'))).toBe(join(dir, 'disk', 'data'));
  expect(openDataDir(join(dir, 'disk', 'data'))).toBe(join(dir, 'disk', 'data'));
  symlinkSync(join(dir, 'disk'), join(dir, 'data'));
  expect(() => openDataDir(join(dir, 'data'))).toThrow(/may be a link/);
});

describe('run.json', () => {
  const info: RunInfo = {
    pid: 1,
    startedAt: 2,
    version: '0.0.0',
    url: 'http://127.0.0.1:1/',
    apiUrl: 'http://127.0.0.1:1/api',
    mcpUrl: 'http://127.0.0.1:1/mcp',
    agentMcpUrl: 'http://127.0.0.1:2/mcp',
    agentSseUrl: 'http://127.0.0.1:2/sse',
    agentWsUrl: 'ws://127.0.0.1:2/ws',
  };

  it('is written whole, for its owner only, over whatever a crash left', () => {
    const file = join(dir, 'run.json');
    writeFileSync(file, 'half a f', { mode: 0o644 });
    writeRunFile(file, info);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(info);
    expect(modeOf(file)).toBe('600');
    expect(readdirSync(dir)).toEqual(['run.json']);
  });

  it('is for its owner only also when a crash left the draft of another mode', () => {
    const file = join(dir, 'run.json');
    writeFileSync(`${file}.${process.pid}.tmp`, 'draft', { mode: 0o644 });
    writeRunFile(file, info);
    expect(modeOf(file)).toBe('600');
  });

  it('is removed, and its absence is no failure', () => {
    const file = join(dir, 'run.json');
    writeRunFile(file, info);
    removeRunFile(file);
    removeRunFile(file);
    expect(existsSync(file)).toBe(false);
  });
});
