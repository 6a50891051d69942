/** Asks an agent's own health endpoint, over its Unix socket. */
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

/** GET /health on a socket, with a deadline in milliseconds. Never rejects. */
export function askHealth(socketPath: string, timeoutMs: number): Promise<HealthAnswer> {
  const startedAt = performance.now();
  const elapsed = (): number => Math.round((performance.now() - startedAt) * 10) / 10;
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
