/** The box waits for the sockets of its line. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SOCKETS } from '#shared/gateway/places.ts';

/** Between two looks, in milliseconds. */
const LOOK_MS = 10;

/** Resolves when the sockets are there; rejects when they are not within the time. */
export async function awaitLine(folder: string, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while ((await lstat(join(folder, SOCKETS.launch)).catch(() => undefined))?.isSocket() !== true) {
    if (performance.now() > deadline)
      throw new Error(`no line of the gateway came within ${deadlineMs / 1000} s; its log says why`);
    await sleep(LOOK_MS);
  }
}
