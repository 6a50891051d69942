#!/usr/bin/env node
/**
 * The `quarterdeck` command. Plain JavaScript that any Node from 20.19 on can read: it brings itself onto the Node the
 * product is built for, builds a checkout whose sources changed (on stderr), and hands over to out/node/cli.js.
 *
 * Environment: QUARTERDECK_SKIP_BUILD=1 takes out/ as it is (the test runner builds once and sets it).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node major the sources are written for: the one Electron 45 embeds. */
const WANTED_MAJOR = 24;
/** The oldest major that can run the build; below it there is no going on without the checkout's own Node. */
const OLDEST_MAJOR = 22;
/** Set for the second process, so that it cannot start a third. */
const LAUNCHER_VARIABLE = 'QUARTERDECK_LAUNCHER_PID';

const major = Number(process.versions.node.split('.')[0]);
const ownNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const launcher = process.env[LAUNCHER_VARIABLE];
delete process.env[LAUNCHER_VARIABLE];

if (launcher === undefined && major < WANTED_MAJOR && existsSync(ownNode)) {
  runOn(ownNode);
} else if (major < OLDEST_MAJOR) {
  process.stderr.write(
    `quarterdeck needs Node ${OLDEST_MAJOR} or newer and this is ${process.versions.node}; in a checkout, run "npm ci" first.\n`,
  );
  process.exitCode = 1;
} else {
  if (launcher !== undefined) dieWithLauncher();
  await handOver();
}

/**
 * Runs this file again on another Node and ends as it ends. Standard streams are shared, signals are passed on.
 * @param {string} binary
 */
function runOn(binary) {
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    // The channel carries nothing: its end tells the child that this process is gone.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [LAUNCHER_VARIABLE]: String(process.pid) },
  });
  // A terminal sends Ctrl-C and Ctrl-\ to the whole group, the child included: passing them on would count them twice.
  const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  /** @type {NodeJS.Signals[]} */
  const fromTerminal = ['SIGINT', 'SIGQUIT'];
  /** @type {NodeJS.Signals[]} */
  const others = ['SIGTERM', 'SIGHUP', 'SIGUSR2'];
  for (const signal of fromTerminal) process.on(signal, () => void (isOnTerminal || child.kill(signal)));
  for (const signal of others) process.on(signal, () => void child.kill(signal));
  child.once('error', (error) => {
    process.stderr.write(`quarterdeck could not start ${binary}: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Ends by the same signal, so that the caller sees what happened.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    process.exitCode = 128 + (constants.signals[signal] ?? 0);
  });
}

/** A launcher killed outright cannot pass a signal on; without this its core would live on unseen, holding the lock. */
function dieWithLauncher() {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel?.unref();
}

/** Brings out/ up to date where this is a checkout, and runs the command. */
async function handOver() {
  if (process.env.QUARTERDECK_SKIP_BUILD !== '1' && existsSync(join(root, 'src-main'))) {
    const { build, canBuild } = await import('./build.mjs');
    try {
      if (canBuild()) await build();
    } catch (error) {
      process.stderr.write(`quarterdeck could not be built: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    }
  }
  const cli = join(root, 'out', 'node', 'cli.js');
  if (!existsSync(cli)) {
    process.stderr.write('quarterdeck is not built: run "npm ci" and "npm run build" in the checkout.\n');
    process.exit(1);
  }
  process.argv[1] = cli;
  await import(pathToFileURL(cli).href);
}
