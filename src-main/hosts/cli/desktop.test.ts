import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findElectron, hasDisplay, installElectron } from './desktop.ts';
import { runInProcess } from './testing/run-in-process.ts';

const folders: string[] = [];

/** A product with a built desktop app and no Electron. */
function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'qd-desktop-'));
  folders.push(root);
  mkdirSync(join(root, 'out', 'main'), { recursive: true });
  writeFileSync(join(root, 'out', 'main', 'main.js'), '');
  return root;
}

/** What Electron would be: notes its arguments and ends with 7. */
function putStub(folder: string, notes: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'electron'),
    `#!/bin/sh\nprintf '%s\\n' "$@" "asNode=\${ELECTRON_RUN_AS_NODE-unset}" > '${notes}'\nexit 7\n`,
  );
  chmodSync(join(folder, 'electron'), 0o755);
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('the desktop app', () => {
  it('is started with the same options, and ends the command as it ends', async () => {
    const root = makeRoot();
    const notes = join(root, 'notes');
    putStub(join(root, 'elsewhere'), notes);
    const { code } = await runInProcess(['start', '--port', '4000', '--allow-host', 'a.example', '--stop-agents', '--json'], {
      dataDir: join(root, 'data'),
      entry: join(root, 'out', 'node', 'cli.js'),
      env: {
        PATH: process.env['PATH'],
        DISPLAY: ':99',
        ELECTRON_OVERRIDE_DIST_PATH: join(root, 'elsewhere'),
        ELECTRON_RUN_AS_NODE: '1',
      },
    });
    expect(code).toBe(7);
    expect(readFileSync(notes, 'utf8').trim().split('\n')).toEqual([
      root,
      '--data-dir',
      join(root, 'data'),
      '--port',
      '4000',
      '--allow-host',
      'a.example',
      '--stop-agents',
      '--json',
      'asNode=unset',
    ]);
  });

  it('is fetched once where it is not there', async () => {
    const root = makeRoot();
    const notes = join(root, 'notes');
    const electron = join(root, 'node_modules', 'electron');
    mkdirSync(electron, { recursive: true });
    expect(findElectron(root, {})).toBe(undefined);
    await installElectron(root, {});
    putStub(join(root, 'download'), notes);
    writeFileSync(
      join(electron, 'install.js'),
      `require('node:fs').cpSync(${JSON.stringify(join(root, 'download'))}, ${JSON.stringify(join(electron, 'dist'))}, { recursive: true });`,
    );
    const { code, stderr } = await runInProcess(['start'], {
      dataDir: join(root, 'data'),
      entry: join(root, 'out', 'node', 'cli.js'),
      env: { PATH: process.env['PATH'], WAYLAND_DISPLAY: 'wayland-0' },
    });
    expect({ code, stderr }).toEqual({
      code: 7,
      stderr: 'The desktop window needs the Electron runtime, which is not here yet; fetching it …\n',
    });
    expect(findElectron(root, {})).toBe(join(electron, 'dist', 'electron'));
  });

  it('gives way to the browser, in one sentence, where there is no window to be had', async () => {
    const root = makeRoot();
    // The port that is none ends the command right after the sentence: nothing is served here.
    const start = (env: NodeJS.ProcessEnv): Promise<string> =>
      runInProcess(['start', '--port', 'none'], {
        dataDir: join(root, 'data'),
        entry: join(root, 'out', 'node', 'cli.js'),
        env: { PATH: process.env['PATH'], ...env },
      }).then(({ stderr }) => stderr);
    const goesOn = 'Quarterdeck goes on without a window, and you use it in a browser.';
    // Nothing is fetched for a machine without a display.
    expect((await start({})).split('\n')[0]).toBe(`There is no display for a window: ${goesOn}`);
    expect(await start({ DISPLAY: ':99' })).toContain(`The Electron runtime is not here and could not be fetched: ${goesOn}`);
    const dist = join(root, 'node_modules', 'electron', 'dist');
    putStub(dist, join(root, 'notes'));
    writeFileSync(join(dist, 'electron'), '#!/bin/sh\nkill -TRAP $$\n', { mode: 0o755 });
    expect(await start({ DISPLAY: ':99' })).toContain(`The Electron runtime could not start here (SIGTRAP): ${goesOn}`);
    rmSync(join(root, 'out', 'main'), { recursive: true });
    expect((await start({ DISPLAY: ':99' })).split('\n')[0]).toBe(`The desktop window is not part of this build: ${goesOn}`);
  });

  it('needs a display', () => {
    expect(hasDisplay({}, 'linux')).toBe(false);
    expect(hasDisplay({ DISPLAY: '' }, 'linux')).toBe(false);
    expect(hasDisplay({ DISPLAY: ':0' }, 'linux')).toBe(true);
    expect(hasDisplay({}, 'darwin')).toBe(true);
  });
});
