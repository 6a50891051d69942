/**
 * What a throw-away twin of a box tries to use up, so that others can see from outside what happened. Never part of an agent's
 * box: whoever starts a container with `--attack` gets this and nothing else.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Attack } from '#shared/box/attacks.ts';
import { BOX } from '#shared/box/places.ts';
import { codeOf } from './error-code.ts';

const MEBIBYTE = 1 << 20;
/** How long the cores are kept busy, in milliseconds: some periods of a quota (100 ms each). */
const BUSY_MS = 2000;
/** More than any limit here. */
const MOST_PROCESSES = 40_000;
/** What is printed into the engine's log, in MiB. */
const LOG_MEBIBYTES = 32;

const ATTACKS: Readonly<Record<Attack, () => Promise<number>>> = { memory, processes, cpu, disk, log };

/** Makes one attack; resolves to the exit code of who survived it, 64 where there is none of that name. */
export async function attack(name: string | undefined): Promise<number> {
  const found = Object.entries(ATTACKS).find(([one]) => one === name);
  return found === undefined ? 64 : found[1]();
}

function memory(): Promise<number> {
  const taken: Buffer[] = [];
  // Filled, because the kernel gives pages when they are written.
  for (;;) taken.push(Buffer.alloc(16 * MEBIBYTE, taken.length + 1));
}

async function processes(): Promise<number> {
  let started = 0;
  for (; started < MOST_PROCESSES; started += 1) {
    // Waits for a line that never comes: the smallest process every image with a shell has.
    const child = spawn('/bin/sh', ['-c', 'read line'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const problem = await new Promise<string | undefined>((resolve) => {
      child.once('spawn', () => resolve(undefined));
      child.once('error', (error) => resolve(codeOf(error)));
    });
    if (problem === 'ENOENT') return 1;
    if (problem !== undefined) break;
  }
  await print(`started ${started}\n`);
  return 0;
}

async function cpu(): Promise<number> {
  const code = `const end = Date.now() + ${BUSY_MS}; while (Date.now() < end);`;
  // One more than there are cores, this thread among them.
  const workers = cpus().map(() => new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8 } }));
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve).once('error', resolve))));
  return 0;
}

async function disk(): Promise<number> {
  let bytes = 0;
  let outcome = 'ok';
  const file = openSync(`${BOX.tmp}/fill`, 'w');
  const block = Buffer.alloc(MEBIBYTE, 1);
  try {
    for (;;) bytes += writeSync(file, block);
  } catch (error) {
    outcome = codeOf(error);
  } finally {
    closeSync(file);
  }
  let root = 'ok';
  try {
    closeSync(openSync('/quarterdeck-fill', 'w'));
  } catch (error) {
    root = codeOf(error);
  }
  await print(`tmp ${bytes} ${outcome} root ${root}\n`);
  return 0;
}

async function log(): Promise<number> {
  const line = `${'x'.repeat(1023)}\n`.repeat(1024);
  for (let printed = 0; printed < LOG_MEBIBYTES; printed += 1) await print(line);
  return 0;
}

function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}
