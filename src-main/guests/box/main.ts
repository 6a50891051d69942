/**
 * The first program inside a box: shows what holds it, starts what it is told to, relays to the gateway, waits for the end.
 * Exit codes: the agent's own (128 + signal), or 78 when it was not let go and nothing was started.
 *
 *   box.js [--exit-fd <n>]          writes the number of the signal that the agent ended by, or `code`, there (bubblewrap)
 *   box.js --sockets <folder>       its sockets are not in /run/quarterdeck but come by a line, and are waited for
 *   box.js --line <folder>          makes them there: the line's end inside (guests/common/line)
 *   box.js --attack <name>          uses something up, in a throw-away twin (attack.ts)
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { ProcessExit } from '#shared/agents/model.ts';
import { BOX, BOX_LINE } from '#shared/box/places.ts';
import type { BoxReport, BoxStart } from '#shared/box/model.ts';
import { RELAY_PORTS, SOCKETS } from '#shared/gateway/places.ts';
import { attack } from './attack.ts';
import { BoxTmux } from './box-tmux.ts';
import { findMissing } from './find-missing.ts';
import { LaunchLine } from './launch-line.ts';
import { awaitLine } from './await-line.ts';
import { runLine } from '#guests/common/line/run-line.ts';
import { runProbe } from './probe/run-probe.ts';
import { signalTree } from './process-groups.ts';
import { Relay } from './relay.ts';
import { runInTerminal } from './run-in-terminal.ts';

/** EX_CONFIG of sysexits.h: the core did not let the box go. */
const NOT_ADMITTED = 78;
/** Of programs where neither image nor agent says it. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const STDOUT = 1;
/** How long the core may be silent, in milliseconds. */
const SILENCE_MS = 10_000;

const [mode, value] = process.argv.slice(2);
if (mode === '--attack') process.exit(await attack(value));
// Its output is a stream of its own: standard output would hold up everything while it is full.
else if (mode === '--line' && value !== undefined) {
  const output = new Socket({ fd: STDOUT, readable: false, writable: true });
  process.stderr.write(`quarterdeck: the line is over: ${await runLine(value, process.stdin, output)}\n`, () => process.exit(0));
}
// The relay still listens: nobody is there for it any more.
else
  process.exit(
    await main(
      mode === '--sockets' && value !== undefined ? value : BOX.sockets,
      mode === '--exit-fd' ? Number(value) : undefined,
    ),
  );

async function main(sockets: string, exitFd: number | undefined): Promise<number> {
  let line: LaunchLine;
  let start: BoxStart;
  try {
    if (sockets === BOX_LINE.folder) await awaitLine(sockets, BOX_LINE.deadlineMs);
    line = new LaunchLine(`${sockets}/${SOCKETS.launch}`);
    line.say({ type: 'proof', ...(await runProbe(await line.probe(SILENCE_MS), sockets)) });
    const asked = await line.start(SILENCE_MS);
    // What the image says of where its programs are, unless the agent is to have another.
    start = { ...asked, env: { PATH: process.env['PATH'] ?? DEFAULT_PATH, ...asked.env } };
  } catch (error) {
    process.stderr.write(
      `quarterdeck: nothing is started in this box: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exit(NOT_ADMITTED);
  }
  const refuse: (problem: string) => never = (problem) => {
    line.say({ type: 'not-started', problem });
    line.end();
    process.stderr.write(`quarterdeck: ${problem}\n`);
    process.exit(NOT_ADMITTED);
  };
  const missing = start.setup === null ? findMissing(start) : undefined;
  if (missing !== undefined) return refuse(missing);
  try {
    await new Relay([
      { port: RELAY_PORTS.agent, socketPath: `${sockets}/${SOCKETS.agent}` },
      { port: RELAY_PORTS.proxy, socketPath: `${sockets}/${SOCKETS.egress}` },
      { port: RELAY_PORTS.modelApi, socketPath: `${sockets}/${SOCKETS.egress}` },
    ]).listen();
    return await (start.makesTerminal ? runInTmux(line, start) : runHere(line, start, exitFd));
  } catch (error) {
    return refuse(`the box could not start the agent: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** In bubblewrap: the terminal is there, and whoever made it keeps its screen. */
async function runHere(line: LaunchLine, start: BoxStart, exitFd: number | undefined): Promise<number> {
  // What the terminal is, is for whoever made it to say.
  const TERM = process.env['TERM'] ?? 'xterm-256color';
  const { exit } = await runInTerminal({ ...start, env: { ...start.env, TERM } }, (pid) => {
    line.say({ type: 'started', pid });
    line.end();
  });
  if (exitFd !== undefined) writeSync(exitFd, `${exit.signal === undefined ? 'code' : signalNumber(exit.signal)}\n`);
  return exitCodeOf(exit);
}

/** In a container: the terminal is tmux's, and its last screen goes to the engine's log. */
async function runInTmux(line: LaunchLine, start: BoxStart): Promise<number> {
  const tmux = new BoxTmux({ start });
  const { started, ended, shimPid } = await tmux.open();
  const report: BoxReport = { type: 'started', pid: await started };
  // Before anybody knows that there is something to be ended.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => signalTree(shimPid, name));
  line.say(report);
  line.end();
  await print(report);
  const end = await ended;
  const screen = (await tmux.lastScreen()) ?? { lines: [], size: start.size, cursor: { x: 0, y: 0 } };
  await print({ type: 'ended', ...end, ...screen });
  return exitCodeOf(end.exit);
}

function print(report: BoxReport): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(report)}\n`, () => resolve());
  });
}

function exitCodeOf(exit: ProcessExit): number {
  if (exit.signal !== undefined) return 128 + signalNumber(exit.signal);
  return exit.code ?? 1;
}

function signalNumber(name: string): number {
  return Object.entries(constants.signals).find(([one]) => one === name)?.[1] ?? 0;
}
