/** What the desktop offers: a display, a browser, and the Electron runtime where it can be had. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How long the download of the runtime may take, in milliseconds: a start must not hang on a bad network. */
const INSTALL_TIMEOUT_MS = 20_000;

/** Whether windows can be shown. */
export function hasDisplay(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  return platform === 'darwin' || platform === 'win32' || (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
}

/** Hands an address to the desktop's browser; false when there is no program for it. */
export function openInBrowser(url: string): Promise<boolean> {
  const [program, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['rundll32', ['url.dll,FileProtocolHandler', url]]
        : ['xdg-open', [url]];
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => resolve(true));
    child.unref();
  });
}

/** The executable inside a distribution of Electron (electron's own install.js has the same list). */
function executableIn(dist: string): string {
  switch (process.platform) {
    case 'darwin':
      return join(dist, 'Electron.app', 'Contents', 'MacOS', 'Electron');
    case 'win32':
      return join(dist, 'electron.exe');
    default:
      return join(dist, 'electron');
  }
}

/** The checkout or package that holds `entry` (out/node/cli.js). */
export function productRoot(entry: string): string {
  return dirname(dirname(dirname(entry)));
}

/** The Electron runtime, if it is here. */
export function findElectron(root: string, env: NodeJS.ProcessEnv): string | undefined {
  const stated = env['ELECTRON_OVERRIDE_DIST_PATH'];
  const places = [...(stated === undefined || stated === '' ? [] : [stated]), join(root, 'node_modules', 'electron', 'dist')];
  return places.map(executableIn).find((file) => existsSync(file));
}

/** Tries once to fetch the Electron runtime, as electron itself would at its first use. */
export function installElectron(root: string, env: NodeJS.ProcessEnv): Promise<void> {
  const installer = join(root, 'node_modules', 'electron', 'install.js');
  if (!existsSync(installer)) return Promise.resolve();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [installer], {
      stdio: 'ignore',
      env,
      timeout: INSTALL_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}

/** Runs the desktop app and ends as it ends. Signals are passed on. */
export function runElectron(binary: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { ELECTRON_RUN_AS_NODE: _asNode, ...rest } = env;
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [...args], { stdio: 'inherit', env: rest });
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
    const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, pass);
    const done = (): void => {
      for (const signal of signals) process.off(signal, pass);
    };
    child.once('error', (error) => (done(), reject(error)));
    child.once('exit', (code) => (done(), resolve(code ?? 1)));
  });
}
