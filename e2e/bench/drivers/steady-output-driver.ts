/**
 * Feeds terminals at a fixed rate, from one process: what programs cost is not what is measured. Reads `{pipes, log, bytesPerS}` on
 * stdin and writes pieces of the log into each named pipe until its stdin closes. Prints nothing.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';

const Input = z.object({ pipes: z.array(z.string()), log: z.string(), bytesPerS: z.number() });
/** Between two pieces for the same pipe, in milliseconds. */
const EVERY_MS = 50;

const lines = createInterface({ input: process.stdin });
const first: unknown = JSON.parse((await lines[Symbol.asyncIterator]().next()).value ?? '');
const { pipes, log, bytesPerS } = Input.parse(first);
const source = readFileSync(log);
// For reading too: opening does not wait for the other end then, and a reader that comes later misses nothing.
const feeds = pipes.map((pipe, index) => ({
  fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK),
  // Each tile shows something else.
  at: Math.floor((index * source.length) / pipes.length),
}));
const startedAt = performance.now();
let given = 0;

function feed(): void {
  const due = ((performance.now() - startedAt) * bytesPerS) / 1_000;
  // A driver that was kept waiting catches up by at most a quarter of a second: a burst is no steady output.
  const size = Math.min(due - given, bytesPerS / 4);
  given = due;
  for (const one of feeds) {
    const piece = source.subarray(one.at, one.at + size);
    one.at = (one.at + piece.length) % Math.max(1, source.length - bytesPerS);
    try {
      writeSync(one.fd, piece);
    } catch (error) {
      // A terminal that does not keep up: what does not fit the pipe is not printed.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

const timer = setInterval(feed, EVERY_MS);
process.stdin.on('end', () => {
  clearInterval(timer);
  for (const { fd } of feeds) closeSync(fd);
});
