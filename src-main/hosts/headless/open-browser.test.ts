import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openInBrowser } from './open-browser.ts';

/** The program that opens addresses here. */
const PROGRAM = process.platform === 'darwin' ? 'open' : 'xdg-open';

let folder: string;
const { PATH } = process.env;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-browser-'));
  process.env['PATH'] = folder;
});
afterEach(() => {
  process.env['PATH'] = PATH;
  rmSync(folder, { recursive: true, force: true });
});

it('says when no program opens a browser here', async () => {
  expect(await openInBrowser('http://127.0.0.1:1/')).toBe(false);
});

it('hands the address over as one argument, to no shell', async () => {
  writeFileSync(join(folder, PROGRAM), `#!/bin/sh\nprintf '%s|' "$@" > '${join(folder, 'told')}'\n`);
  chmodSync(join(folder, PROGRAM), 0o755);
  expect(await openInBrowser('http://127.0.0.1:1/#login=a b;c')).toBe(true);
  await vi.waitFor(() => expect(readFileSync(join(folder, 'told'), 'utf8')).toBe('http://127.0.0.1:1/#login=a b;c|'), 5_000);
});
