import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { reachedFrom } from './built-output.ts';
import { readPackageJson, ROOT } from './sources.ts';

/** The programs that run under plain Node; vite.config.ts names their sources. */
const ENTRIES = ['cli', 'headless', 'read-worker', 'search-worker', 'worker'].map((name) => `out/node/${name}.js`);

/** How long a core may take to be ready, and to end. */
const DEADLINE_MS = 20_000;

/** Loaded before the core: any attempt to resolve electron ends the process, whoever makes it. */
const NO_ELECTRON = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ resolve(specifier, context, next) {
    if (specifier === 'electron' || specifier.startsWith('electron/')) {
      console.error('electron was asked for by ' + context.parentURL);
      process.exit(70);
    }
    return next(specifier, context);
  } });
`)}`;

let folder = '';

beforeAll(() => {
  if (process.env['QUARTERDECK_SKIP_BUILD'] === '1') return;
  const { status, stderr } = spawnSync(process.execPath, ['bin/build.mjs', '--if-stale'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}, 120_000);

afterEach(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
  folder = '';
});

describe('what runs under plain Node', () => {
  it('reaches no electron, directly or through a package', () => {
    const { files, packages } = reachedFrom(ENTRIES);
    expect(files).toEqual(expect.arrayContaining(ENTRIES));
    expect(packages).toContain('zod');
    expect(packages.filter((name) => name === 'electron' || name.startsWith('@electron/'))).toEqual([]);
  });

  it('imports only packages that are installed with it', () => {
    const { imported } = reachedFrom(ENTRIES);
    const installed = Object.keys(readPackageJson().dependencies ?? {});
    expect(imported.filter((name) => !installed.includes(name))).toEqual([]);
  });

  it('becomes ready and ends cleanly where electron cannot even be looked up', async () => {
    folder = mkdtempSync(join(tmpdir(), 'qd-free-'));
    const flags = ['--json', '--no-open', '--port', '0', '--agent-mcp-port', '0', '--data-dir', join(folder, 'data')];
    const core = spawn(process.execPath, ['--import', NO_ELECTRON, 'out/node/headless.js', ...flags], {
      cwd: ROOT,
      env: { ...process.env, XDG_RUNTIME_DIR: folder, QUARTERDECK_HOME: join(folder, 'data') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(core, 'exit', { signal: AbortSignal.timeout(2 * DEADLINE_MS) }) as Promise<[number | null]>;
    ended.catch(() => undefined); // Awaited below; the first of two failures is the one to report.
    let log = '';
    core.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    try {
      const [line] = await Promise.race([
        once(createInterface({ input: core.stdout }), 'line', { signal: AbortSignal.timeout(DEADLINE_MS) }) as Promise<[string]>,
        ended.then(([code]) => Promise.reject(new Error(`the core ended with ${code} before it was ready:\n${log}`))),
      ]);
      const ready = z.object({ event: z.literal('ready'), pid: z.number(), url: z.url() });
      expect(ready.parse(JSON.parse(line)).pid).toBe(core.pid);
      core.kill('SIGTERM');
      const [code] = await ended;
      expect(code, log).toBe(0);
    } finally {
      core.kill('SIGKILL');
    }
  }, 60_000);
});
