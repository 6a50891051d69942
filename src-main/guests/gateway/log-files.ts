/**
 * The files of the connection log: `<name>-<first number>.jsonl`, one JSON object a line, numbered without gaps. A file never
 * changes its name; when it is full the next one begins, and the oldest are removed.
 */
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { GatewayEvent } from '#shared/gateway/model.ts';

/** One file of the log. */
export interface LogFile {
  readonly path: string;
  /** Number of its first entry. */
  readonly first: number;
}

/** What was found on the disk. */
export interface FoundLog {
  readonly files: readonly LogFile[];
  /** The newest file, open for appending, its size in bytes, and the number of the last entry. */
  readonly handle: FileHandle;
  readonly size: number;
  readonly last: number;
  /** Connections that were opened and never ended: those of a gateway that was killed. */
  readonly unfinished: readonly GatewayEvent['connection'][];
}

const DIGITS = 12;

/** Path of the file that begins with entry `first`. `log` is the name of the whole, such as `/data/logs/connections.jsonl`. */
export function logFilePath(log: string, first: number): string {
  const extension = extname(log);
  return join(dirname(log), `${basename(log, extension)}-${String(first).padStart(DIGITS, '0')}${extension}`);
}

/** The number at the beginning of a line; undefined when it is no entry. */
export function numberOf(line: string): number | undefined {
  const digits = /^\{"n":(\d{1,15}),/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Opens the log, made where there is none. A last line that was not written whole is cut off. */
export async function openLogFiles(log: string): Promise<FoundLog> {
  await mkdir(dirname(log), { recursive: true, mode: 0o700 });
  const files = await listLogFiles(log);
  const unfinished = new Map<string, string>();
  let last = (files[0]?.first ?? 1) - 1;
  let size = 0;
  for (const [index, file] of files.entries()) {
    const bytes = await readFile(file.path);
    size = wholeLines(bytes);
    if (index < files.length - 1) size = bytes.length;
    last = Math.max(last, file.first - 1);
    for (const line of bytes.subarray(0, size).toString('utf8').split('\n')) {
      // Not parsed: there may be a hundred thousand. What an agent sent stands in strings, where quotes are escaped.
      last = Math.max(last, numberOf(line) ?? 0);
      const id = /"id":(\d+)/.exec(line)?.[1];
      if (id === undefined) continue;
      if (line.includes('"outcome":"open"')) unfinished.set(id, line);
      else unfinished.delete(id);
    }
  }
  const newest = files.at(-1) ?? { path: logFilePath(log, last + 1), first: last + 1 };
  const handle = await open(newest.path, 'a', 0o600);
  await handle.truncate(size);
  return {
    files: files.length > 0 ? files : [newest],
    handle,
    size,
    last,
    unfinished: [...unfinished.values()].flatMap((line) => parseEntry(line)?.connection ?? []),
  };
}

async function listLogFiles(log: string): Promise<LogFile[]> {
  const extension = extname(log);
  const prefix = `${basename(log, extension)}-`;
  const names = await readdir(dirname(log));
  return names
    .filter((name) => name.startsWith(prefix) && name.endsWith(extension))
    .map((name) => ({ path: join(dirname(log), name), digits: name.slice(prefix.length, name.length - extension.length) }))
    .filter(({ digits }) => digits.length === DIGITS && /^\d+$/.test(digits))
    .map(({ path, digits }) => ({ path, first: Number(digits) }))
    .sort((a, b) => a.first - b.first);
}

/** How many bytes of a file are whole entries. */
function wholeLines(bytes: Buffer): number {
  let end = bytes.lastIndexOf(0x0a) + 1;
  while (end > 0) {
    const start = end < 2 ? 0 : bytes.lastIndexOf(0x0a, end - 2) + 1;
    if (parseEntry(bytes.toString('utf8', start, end - 1)) !== undefined) return end;
    end = start;
  }
  return 0;
}

function parseEntry(line: string): GatewayEvent | undefined {
  if (numberOf(line) === undefined) return undefined;
  try {
    return GatewayEvent.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Begins the next file of the log. */
export async function beginLogFile(log: string, first: number): Promise<{ readonly file: LogFile; readonly handle: FileHandle }> {
  const file = { path: logFilePath(log, first), first };
  return { file, handle: await open(file.path, 'a', 0o600) };
}

/** Removes a file of the log; whoever reads it may finish. */
export async function removeLogFile(file: LogFile): Promise<void> {
  await rm(file.path, { force: true });
}
