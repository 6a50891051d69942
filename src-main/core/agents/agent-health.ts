/** Asks an agent's own health endpoint, over its Unix socket. */
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { request } from 'node:http';
import * as z from 'zod';
import { messageOf } from '#shared/kernel/errors.ts';

/** What came back. */
export type HealthAnswer =
  | { readonly isAnswered: true; readonly report: Record<string, unknown>; readonly responseMs: number }
  | { readonly isAnswered: false; readonly problem: string; readonly responseMs: number };

/** An answer of more than this many bytes is none. */
const MAX_BYTES = 64 * 1024;
const Report = z.record(z.string(), z.unknown());

/** Opens a name without reading what it names, for a socket too (open(2)); Node has no constant for it. */
const O_PATH = 0o10000000;

/** A socket that was looked at. */
interface FoundSocket {
  /** Leads to that very socket, whatever its name is made to lead to meanwhile. */
  readonly path: string;
  readonly close: () => Promise<void>;
}

/**
 * Finds an agent's socket and follows no link: the name is in a folder that the agent writes, and a link could lead to any
 * socket that the core may open. Rejects with the reason.
 */
async function findSocket(path: string): Promise<FoundSocket> {
  if (process.platform !== 'linux') {
    if (!(await lstat(path)).isSocket()) throw new Error(`${path} is not a socket`);
    return { path, close: () => Promise.resolve() };
  }
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW);
  if ((await handle.stat()).isSocket()) return { path: `/proc/self/fd/${handle.fd}`, close: () => handle.close() };
  await handle.close();
  throw new Error(`${path} is not a socket`);
}

/** GET /health on a socket, with a deadline in milliseconds. Never rejects. */
export async function askHealth(socketPath: string, timeoutMs: number): Promise<HealthAnswer> {
  const startedAt = performance.now();
  const elapsed = (): number => Math.round((performance.now() - startedAt) * 10) / 10;
  let found: FoundSocket;
  try {
    found = await findSocket(socketPath);
  } catch (error) {
    return { isAnswered: false, problem: messageOf(error), responseMs: elapsed() };
  }
  try {
    return await ask(found.path, timeoutMs, elapsed);
  } finally {
    await found.close();
  }
}

function ask(socketPath: string, timeoutMs: number, elapsed: () => number): Promise<HealthAnswer> {
  return new Promise((resolve) => {
    const fail = (problem: string): void => resolve({ isAnswered: false, problem, responseMs: elapsed() });
    const call = request(
      { socketPath, path: '/health', timeout: timeoutMs, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_BYTES) call.destroy(new Error(`answered more than ${MAX_BYTES} bytes`));
        });
        response.on('error', (error) => fail(error.message));
        response.on('end', () => {
          try {
            resolve({ isAnswered: true, report: Report.parse(JSON.parse(text)), responseMs: elapsed() });
          } catch (error) {
            fail(`answered something that is not a JSON object: ${messageOf(error)}`);
          }
        });
      },
    );
    call.on('error', (error) =>
      fail(error.name === 'TimeoutError' || error.name === 'AbortError' ? `no answer within ${timeoutMs} ms` : error.message),
    );
    call.end();
  });
}
