/**
 * GET /api/v1/messages:export: messages as one download. Made from the pieces of `sessions.exportPage`, each through the
 * whole chain of a call, and asked for only when the one before has been taken: neither side's memory grows with the export.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { AppError } from '#shared/kernel/errors.ts';
import { ExportFilter, ExportFormat } from '#shared/sessions/export-filter.ts';
import type { Caller } from '#core/caller.ts';
import { isWireError } from '#core/rpc/errors.ts';
import type { Rpc } from '#core/rpc/router.ts';
import { sendJson, sendMethodError } from './respond.ts';

/** Where it is. */
export const EXPORT_PATH = '/api/v1/messages:export';

const Piece = z.object({ text: z.string(), next: z.string().nullable() });
const TYPES = { jsonl: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const;

/** Answers one request. */
export async function serveExport(
  rpc: Pick<Rpc, 'invoke'>,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  caller: Caller,
): Promise<void> {
  if (request.method !== 'GET') {
    sendMethodError(response, request.method, ['GET']);
    return;
  }
  const input = inputOf(url);
  const format = ExportFormat.catch('jsonl').parse(input['format']);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const piece = async (after: string | undefined): Promise<z.infer<typeof Piece>> =>
    Piece.parse(await rpc.invoke('sessions.exportPage', after === undefined ? input : { ...input, after }, caller, gone.signal));
  try {
    let { text, next } = await piece(undefined);
    response.writeHead(200, {
      'content-type': TYPES[format],
      'content-disposition': `attachment; filename="messages.${format}"`,
    });
    for (;;) {
      const isTaken = text === '' || response.write(text);
      if (next === null) break;
      if (!isTaken) await once(response, 'drain', { signal: gone.signal });
      ({ text, next } = await piece(next));
    }
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    // What has begun cannot be taken back: broken off, it is seen to be incomplete.
    if (response.headersSent) response.destroy();
    else if (isWireError(error)) sendJson(response, error.status, error.toJSON());
    else throw error;
  }
}

/** The query as the procedure takes it: everything in a query is text. */
function inputOf(url: URL): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [name, value] of url.searchParams) {
    if (!(name in ExportFilter.shape) && name !== 'format')
      throw new AppError(
        'BAD_REQUEST',
        `"${name.slice(0, 100)}" is no filter of an export (${Object.keys(ExportFilter.shape).join(', ')}, format).`,
        {
          data: { field: name.slice(0, 100) },
        },
      );
    input[name] = name === 'forOperator' && (value === 'true' || value === 'false') ? value === 'true' : value;
  }
  return input;
}
