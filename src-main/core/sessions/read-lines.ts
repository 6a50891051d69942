/** Reads the lines of a session's files, a piece at a time: such files may be larger than memory. */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { CURRENT_FILE } from './mirror-files.ts';

/** No line is longer, in characters: a message with its data is at most a tenth of it. */
const MAX_LINE_CHARS = 8 * 1024 * 1024;
const CHUNK = 256 * 1024;
/** What stands beside the lines is at most as large, in bytes: crowd-mcp writes less than a hundred. */
const MAX_SMALL_BYTES = 64 * 1024;
const ROTATED = /^messages\.(\d+)\.jsonl$/;

/** A line of a file. */
export interface SourceLine {
  readonly text: string;
  /** For messages: file name and number of the line. */
  readonly where: string;
  /** Whether it is the last of its file and has no end: a crash may have cut it. */
  readonly isOpenEnded: boolean;
}

/** The files to be read, in the order in which they were written. NOT_FOUND, BAD_REQUEST when there is none. */
export async function sourceFiles(path: string): Promise<string[]> {
  if (!isAbsolute(path))
    throw new AppError('BAD_REQUEST', `"${path}" is not an absolute path. State the folder from "/" on.`, {
      data: { field: 'path' },
    });
  const found = await stat(path).catch((error: unknown) => {
    throw new AppError('NOT_FOUND', `Cannot read ${path}: ${messageOf(error)}.`, { data: { field: 'path' }, cause: error });
  });
  if (found.isFile()) return [path];
  const names = found.isDirectory() ? await readdir(path) : [];
  const rotated = names.filter((name) => ROTATED.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
  const files = [...rotated, ...(names.includes(CURRENT_FILE) ? [CURRENT_FILE] : [])].map((name) => join(path, name));
  if (files.length > 0) return files;
  throw new AppError(
    'BAD_REQUEST',
    `${path} is no folder of a session: there is no ${CURRENT_FILE} in it. Name the folder that holds it, such as sessions/<timestamp>.`,
    { data: { field: 'path' } },
  );
}

function numberOf(name: string): number {
  return Number(ROTATED.exec(name)?.[1] ?? 0);
}

/** Opens a file to be read. Never waits for who writes to a pipe. NOT_FOUND, BAD_REQUEST when it is no plain file. */
async function openPlain(file: string): Promise<FileHandle> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(unreadable(file));
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw new AppError('BAD_REQUEST', `${file} is no file.`, { data: { field: 'path' } });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function unreadable(file: string): (error: unknown) => never {
  return (error) => {
    throw new AppError('NOT_FOUND', `Cannot read ${file}: ${messageOf(error)}.`, { data: { field: 'path' }, cause: error });
  };
}

/** The text of a small file beside the lines; undefined when it is too large. Fails as `openPlain` does. */
export async function readSmallFile(file: string): Promise<string | undefined> {
  const handle = await openPlain(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(MAX_SMALL_BYTES + 1), 0, MAX_SMALL_BYTES + 1, 0);
    return bytesRead > MAX_SMALL_BYTES ? undefined : buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The lines of a file that are not empty. NOT_FOUND when it cannot be read. */
export async function* readLines(file: string): AsyncGenerator<SourceLine> {
  const handle = await openPlain(file);
  try {
    const name = basename(file);
    const decoder = new StringDecoder('utf8');
    let rest = '';
    let number = 0;
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null).catch(unreadable(file));
      const lines = (rest + (bytesRead === 0 ? decoder.end() : decoder.write(buffer.subarray(0, bytesRead)))).split('\n');
      const last = lines.pop() ?? '';
      for (const text of lines) {
        number += 1;
        if (text.trim() !== '') yield { text, where: `${name}:${number}`, isOpenEnded: false };
      }
      rest = last;
      if (rest.length > MAX_LINE_CHARS)
        throw new AppError(
          'BAD_REQUEST',
          `${name}:${number + 1} is longer than ${MAX_LINE_CHARS} characters. Nothing more was imported.`,
        );
      if (bytesRead > 0) continue;
      if (rest.trim() !== '') yield { text: rest, where: `${name}:${number + 1}`, isOpenEnded: true };
      return;
    }
  } finally {
    await handle.close();
  }
}

/** The object in a line, its texts well-formed: SQLite keeps UTF-8, which cannot hold half of a surrogate pair. */
export function parseLine(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
  } catch {
    return undefined;
  }
}
