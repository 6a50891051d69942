/** What the engine says while it makes or fetches an image: one JSON object a line. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as z from 'zod';
import { AppError } from '#shared/kernel/errors.ts';
import type { ImageProgress } from './image-source.ts';

const EngineLine = z.object({
  stream: z.string().optional(),
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
});

/** One line of the engine's. */
export type EngineLine = z.infer<typeof EngineLine>;

/** Reads to the end, giving every line on. Fails with an AppError when the engine reports an error. */
export async function drain(
  answer: NodeJS.ReadableStream,
  o: Pick<ImageProgress, 'onLine'> & { readonly onEvent?: (line: EngineLine) => void },
): Promise<void> {
  for await (const text of createInterface({ input: answer as Readable })) {
    const line = EngineLine.safeParse(parseJson(text)).data;
    if (line === undefined) continue;
    if (line.error !== undefined) throw new AppError('UNAVAILABLE', `The container engine says: ${line.error}`);
    o.onEvent?.(line);
    const said = line.stream ?? (line.progressDetail?.total === undefined ? line.status : undefined);
    for (const part of said?.split('\n') ?? []) if (part.trim() !== '') o.onLine(line.id ? `${line.id}: ${part}` : part);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
