import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathsOf, resolveDataDir } from './paths.ts';

const HOME = homedir();

describe('the data folder', () => {
  it.each([
    ['stated before all else', '/stated', { QUARTERDECK_HOME: '/home', XDG_DATA_HOME: '/xdg' }, 'linux', '/stated'],
    ['a stated one becomes absolute', 'stated/', {}, 'linux', join(process.cwd(), 'stated')],
    ['nothing stated', '', { QUARTERDECK_HOME: '/home', XDG_DATA_HOME: '/xdg' }, 'linux', '/home'],
    ['XDG_DATA_HOME', undefined, { QUARTERDECK_HOME: '', XDG_DATA_HOME: '/xdg/' }, 'darwin', '/xdg/quarterdeck'],
    ['Linux', undefined, { XDG_DATA_HOME: '' }, 'linux', join(HOME, '.local/share/quarterdeck')],
    ['macOS', undefined, {}, 'darwin', join(HOME, 'Library/Application Support/Quarterdeck')],
  ] as const)('%s', (_what, stated, env, platform, expected) => {
    expect(resolveDataDir(stated, env, platform)).toBe(expected);
  });

  it('is in APPDATA on Windows', () => {
    expect(resolveDataDir(undefined, { APPDATA: '/appdata' }, 'win32')).toBe(join('/appdata', 'Quarterdeck'));
    expect(resolveDataDir(undefined, {}, 'win32')).toContain('Quarterdeck');
  });
});

describe('the sockets', () => {
  const uid = process.getuid?.() ?? 0;

  it('are in XDG_RUNTIME_DIR, else in /tmp, in a folder of their own for each data folder', () => {
    expect(pathsOf('/a', { XDG_RUNTIME_DIR: '/run/user/7' }).socketDir).toMatch(/^\/run\/user\/7\/qd-[0-9a-f]{8}$/);
    expect(pathsOf('/a', { XDG_RUNTIME_DIR: '' }).socketDir).toMatch(new RegExp(`^/tmp/qd-${uid}-[0-9a-f]{8}$`));
    expect(pathsOf('/a', {}).socketDir).toBe(pathsOf('/a', {}).socketDir);
    expect(pathsOf('/a', {}).socketDir).not.toBe(pathsOf('/b', {}).socketDir);
  });

  it('have paths that fit into the address of a Unix socket, for the longest id and user number', () => {
    for (const env of [{ XDG_RUNTIME_DIR: '/run/user/60000' }, {}]) {
      expect(
        Buffer.byteLength(join(pathsOf(`/${'x'.repeat(500)}`, env).socketDir, 'a'.repeat(63), 'health.sock')),
      ).toBeLessThanOrEqual(107);
    }
  });
});

it('keeps everything else inside the data folder', () => {
  const { socketDir, dataDir, ...rest } = pathsOf('/data', {});
  expect(dataDir).toBe('/data');
  expect(socketDir).not.toContain('/data');
  for (const path of Object.values(rest)) expect(path).toMatch(/^\/data\/[a-z.-]+$/);
  expect(new Set(Object.values(rest)).size).toBe(Object.keys(rest).length);
});
