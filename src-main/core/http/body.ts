/** Reads a request's JSON body, with a limit. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '#shared/kernel/errors.ts';
import { MAX_JSON_DEPTH } from '#shared/kernel/json.ts';

/** Largest body of a request, and largest frame of a socket, in bytes: 1 MB. */
export const MAX_BODY_BYTES = 1_048_576;

/** What a body that is too large is answered with. */
export function tooLarge(limit: number): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `The request is larger than ${limit} bytes. Put large things into a file of the workspace and send its name.`,
    { data: { limitBytes: limit } },
  );
}

/** Deepest nesting of a body: the deepest value that a call may carry, and the call around it. */
const MAX_BODY_DEPTH = MAX_JSON_DEPTH + 16;

/** How much of a body that is too large is read and thrown away, in bytes, so that its sender gets to read the answer. */
const DISCARD_BYTES = 16 * MAX_BODY_BYTES;

/**
 * Reads and parses the body; undefined when there is none. Fails with PAYLOAD_TOO_LARGE when it has more than `limit`
 * bytes (no more than that are kept, and the connection ends with the answer), with BAD_REQUEST on anything but JSON and
 * on JSON that is nested too deep.
 */
export async function readJson(request: IncomingMessage, response: ServerResponse, limit: number): Promise<unknown> {
  const bytes = await readBytes(request, limit);
  if (bytes === undefined) {
    if (!response.headersSent) response.setHeader('connection', 'close');
    throw tooLarge(limit);
  }
  if (bytes.length === 0) return undefined;
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new AppError(
      'BAD_REQUEST',
      `Send the body as JSON with the header "content-type: application/json"${type === undefined ? '' : `, not "${type.slice(0, 100)}"`}.`,
    );
  if (isDeeper(bytes, MAX_BODY_DEPTH))
    throw new AppError('BAD_REQUEST', `The body is nested more than ${MAX_BODY_DEPTH} levels deep.`);
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw new AppError(
      'BAD_REQUEST',
      `The body is not valid JSON: ${error instanceof Error ? error.message : 'it could not be parsed'}.`,
    );
  }
}

/** Whether JSON text has more brackets open at once than `limit`. Before it is parsed: what walks a deep value runs out of stack. */
function isDeeper(text: Buffer, limit: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at];
    if (isInString) {
      if (byte === 0x5c /* \\ */) at += 1;
      else if (byte === 0x22 /* " */) isInString = false;
    } else if (byte === 0x22) isInString = true;
    else if (byte === 0x5b /* [ */ || byte === 0x7b /* { */) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === 0x5d /* ] */ || byte === 0x7d /* } */) depth -= 1;
  }
  return false;
}

/** The body, or undefined when it is larger than `limit`. */
async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > DISCARD_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not destroy the request: its socket carries the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Buffer)) continue;
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else chunks.length = 0;
    if (size > DISCARD_BYTES) return undefined;
  }
  return size > limit ? undefined : Buffer.concat(chunks);
}
