/** What the desktop offers: a display, a browser, and the Electron runtime where it can be had. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How long the download of the runtime (some 120 MB) may take, in milliseconds: a start must not hang on a bad network. */
const INSTALL_TIMEOUT_MS = 60_000;
/** A runtime that is ended by one of these within the time never showed a window: Chromium's sandbox or a library is missing. */
const CRASH_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(['SIGTRAP', 'SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGBUS']);
const CRASH_WITHIN_MS = 10_000;

/** Whether windows can be shown. */
export function hasDisplay(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  return platform === 'darwin' || platform === 'win32' || (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
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

/**
 * Runs the desktop app and ends as it ends, with its exit code. Signals are passed on. `crashed`, with the signal, when the
 * runtime itself could not start here; what it said of that is on stderr.
 */
export function runElectron(
  binary: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number } | { readonly crashed: NodeJS.Signals }> {
  const { ELECTRON_RUN_AS_NODE: _asNode, ...rest } = env;
  const startedAt = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [...args], { stdio: 'inherit', env: rest });
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
    const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, pass);
    const done = (): void => {
      for (const signal of signals) process.off(signal, pass);
    };
    child.once('error', (error) => (done(), reject(error)));
    child.once('exit', (code, signal) => {
      done();
      const isCrash = signal !== null && CRASH_SIGNALS.has(signal) && Date.now() - startedAt < CRASH_WITHIN_MS;
      resolve(isCrash ? { crashed: signal } : { code: code ?? 1 });
    });
  });
}
