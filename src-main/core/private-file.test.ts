import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadPrivateFile } from './private-file.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-private-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const make = (text: string) => ({ what: 'a test file', create: () => Buffer.from(text) });

describe('loadPrivateFile', () => {
  it('makes a missing file with mode 0600 and reads the same one afterwards', () => {
    const file = join(dir, 'deep', 'secret');
    expect(loadPrivateFile(file, make('first')).toString()).toBe('first');
    expect(loadPrivateFile(file, make('second')).toString()).toBe('first');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(dir, 'deep'))).toEqual(['secret']);
  });

  it('keeps to 0600 whatever the umask', () => {
    const before = process.umask(0);
    try {
      loadPrivateFile(join(dir, 'secret'), make('x'));
    } finally {
      process.umask(before);
    }
    expect(statSync(join(dir, 'secret')).mode & 0o777).toBe(0o600);
  });

  it('closes a file that others could read, and tells', () => {
    const file = join(dir, 'secret');
    writeFileSync(file, 'open to all');
    chmodSync(file, 0o644);
    const told: string[] = [];
    expect(loadPrivateFile(file, { ...make('new'), warn: (message) => told.push(message) }).toString()).toBe('open to all');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(told).toEqual([expect.stringContaining('mode 644')]);
    loadPrivateFile(file, { ...make('new'), warn: (message) => told.push(message) });
    expect(told).toHaveLength(1);
  });

  it('refuses what is no file, is missing without a way to make it, or is far too large', () => {
    mkdirSync(join(dir, 'folder'));
    expect(() => loadPrivateFile(join(dir, 'folder'), make('x'))).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', retryable: false }),
    );
    expect(() => loadPrivateFile(join(dir, 'none'), { what: 'a test file' })).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE' }),
    );
    writeFileSync(join(dir, 'large'), 'x'.repeat(5_000), { mode: 0o600 });
    expect(() => loadPrivateFile(join(dir, 'large'), make('x'))).toThrow(/5000 bytes/);
    expect(readFileSync(join(dir, 'large'))).toHaveLength(5_000);
  });

  it('refuses a place where nothing can be made, naming the file', () => {
    writeFileSync(join(dir, 'file'), '');
    const inside = join(dir, 'file', 'secret');
    expect(() => loadPrivateFile(inside, make('x'))).toThrow(inside);
  });
});
