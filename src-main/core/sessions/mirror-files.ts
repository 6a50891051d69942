/**
 * The files of one session in one place: `messages.jsonl`, and `messages.0001.jsonl` and so on, which were put aside when
 * they were full.
 * Invariants: lines are only appended, each once; nothing is written to a file that was not made here; what stands behind
 * the recorded end of a file was written just before a crash or a full disk, and is taken for what it is.
 */
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { link, lstat, open, unlink } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import * as z from 'zod';
import type { SessionId } from '#shared/kernel/ids.ts';
import type { SessionLine } from '#shared/sessions/mirror-lines.ts';
import { EndLine, MIRROR_FORMAT } from '#shared/sessions/mirror-lines.ts';
import { hasCode, MirrorDir, MirrorProblem } from './mirror-dir.ts';
import type { FileMark, MirrorLine } from './mirror-repository.ts';
import { endKey, messageKey } from './mirror-repository.ts';

/** A file is put aside when the next lines would make it larger than this, in bytes. */
export const ROTATE_BYTES = 64 * 1024 * 1024;
/** The file that is written to. */
export const CURRENT_FILE = 'messages.jsonl';
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** So many names may be taken by files of somebody else before a full file is not put aside any more. */
const MOST_NUMBERS_TAKEN = 1_000;
/** Pieces in which the end of a file is read, in bytes. */
const CHUNK = 256 * 1024;

/** The name of a file that was put aside. */
export function rotatedName(number: number): string {
  return `messages.${String(number).padStart(4, '0')}.jsonl`;
}

/** What is appended, and where. */
export interface Append {
  /** The folder that exists, and the folders below it. */
  readonly base: string;
  readonly folder: string;
  /**
   * Whether somebody else may write there: then what stands behind the recorded end counts for nothing, and a file that was
   * not recorded is nobody's of ours.
   */
  readonly isHostile: boolean;
  readonly mark: FileMark | undefined;
  readonly session: { readonly id: SessionId; readonly startedAt: number };
  readonly lines: readonly MirrorLine[];
  readonly rotateBytes: number;
  /** Stores the mark of a file that was just made, before anything is written to it. */
  readonly record: (mark: FileMark) => Promise<void>;
  /** Told what was found and mended. */
  readonly note: (text: string) => void;
  /** Writes bytes at the end of a file; tests let it fail. */
  readonly write: (file: FileHandle, bytes: Buffer) => Promise<void>;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly mark: FileMark;
  /** Lines that are in it already. */
  readonly keys: ReadonlySet<string>;
}

/** Appends lines that are not there yet, and makes them last. Returns the mark to be stored. */
export async function appendLines(a: Append): Promise<FileMark> {
  const dir = await MirrorDir.open(a.base, a.folder.split('/'));
  try {
    let file = a.mark === undefined ? await first(a, dir) : await reopen(a, dir, a.mark);
    try {
      let { mark } = file;
      const { keys } = file;
      let batch: string[] = [];
      let batchBytes = 0;
      const flush = async (): Promise<void> => {
        if (batch.length === 0) return;
        const bytes = Buffer.from(batch.join(''));
        await a.write(file.handle, bytes);
        mark = grown(mark, bytes.length);
        batch = [];
        batchBytes = 0;
      };
      for (const { key, text } of a.lines) {
        if (keys.has(key)) continue;
        const line = `${text}\n`;
        const size = Buffer.byteLength(line);
        if (mark.bytes + batchBytes > 0 && mark.bytes + batchBytes + size > a.rotateBytes) {
          await flush();
          await file.handle.datasync();
          await file.handle.close();
          await a.record(mark);
          file = await rotate(a, dir, mark);
          ({ mark } = file);
        }
        if (mark.bytes + batchBytes === 0) {
          const header = headerOf(a, mark.number);
          batch.push(header);
          batchBytes += Buffer.byteLength(header);
        }
        batch.push(line);
        batchBytes += size;
      }
      await flush();
      await file.handle.datasync();
      return mark;
    } finally {
      await file.handle.close().catch(() => undefined);
    }
  } finally {
    await dir.close();
  }
}

function grown(mark: FileMark, bytes: number): FileMark {
  return { ...mark, bytes: mark.bytes + bytes, totalBytes: mark.totalBytes + bytes };
}

function headerOf(a: Append, number: number): string {
  const line: SessionLine = { type: 'session', format: MIRROR_FORMAT, version: 1, file: number, session: a.session };
  return `${JSON.stringify(line)}\n`;
}

/** The file of a session that has none yet. */
async function first(a: Append, dir: MirrorDir): Promise<OpenFile> {
  const made = await create(a, dir, { folder: a.folder, number: 1, totalBytes: 0 });
  if (made) return made;
  // Made just before a crash, or it is of an installation whose database was put back.
  const handle = await openOwn(dir, CURRENT_FILE);
  const stat = handle && (await handle.stat());
  if (!handle || !stat?.isFile() || stat.nlink !== 1 || (a.isHostile && stat.size > 0)) {
    await handle?.close();
    throw inTheWay(dir);
  }
  const mark = markOf(stat, { folder: a.folder, number: 1, totalBytes: 0 }, 0);
  await a.record(mark);
  return recovered(a, { handle, mark, keys: new Set() }, stat.size);
}

/** Makes the present file; undefined when there is something of that name. */
async function create(
  a: Append,
  dir: MirrorDir,
  base: Pick<FileMark, 'folder' | 'number' | 'totalBytes'>,
): Promise<OpenFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(dir.entry(CURRENT_FILE), FLAGS | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (error) {
    if (hasCode(error, 'EEXIST', 'ELOOP')) return undefined;
    throw error;
  }
  try {
    await dir.giveAway(handle);
    await dir.sync();
    const mark = markOf(await handle.stat(), base, 0);
    await a.record(mark);
    return { handle, mark, keys: new Set() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The file that was written to last. */
async function reopen(a: Append, dir: MirrorDir, mark: FileMark): Promise<OpenFile> {
  const handle = await openOwn(dir, CURRENT_FILE);
  const stat = handle && (await handle.stat());
  if (handle && stat && isMarked(stat, mark)) {
    if (await hasName(dir, rotatedName(mark.number), mark)) {
      // Put aside half: it has both names.
      await handle.close();
      return rotate(a, dir, mark);
    }
    return recovered(a, { handle, mark, keys: new Set() }, stat.size);
  }
  await handle?.close();
  const aside = await openOwn(dir, rotatedName(mark.number));
  const asideStat = aside && (await aside.stat());
  if (aside && asideStat && isMarked(asideStat, mark)) {
    // Put aside just before a crash, and what came next was not recorded.
    const old = await recovered(a, { handle: aside, mark, keys: new Set() }, asideStat.size);
    await old.handle.close();
    const next = handle === undefined ? await nextFile(a, dir, old.mark) : await adoptNext(a, dir, old.mark);
    return { ...next, keys: new Set([...old.keys, ...next.keys]) };
  }
  await aside?.close();
  if (handle) throw inTheWay(dir);
  a.note(
    `${dir.path}/${CURRENT_FILE} is gone: somebody removed it. The mirror goes on in a new file; export_messages gives what was in it.`,
  );
  const made = await create(a, dir, { ...mark, number: mark.number, totalBytes: mark.totalBytes - mark.bytes });
  if (!made) throw inTheWay(dir);
  return made;
}

/** Puts the present file aside and makes the next one. */
async function rotate(a: Append, dir: MirrorDir, mark: FileMark): Promise<OpenFile> {
  let full = mark;
  for (;;) {
    const aside = rotatedName(full.number);
    try {
      // Never over a file that is there; with both names for a moment rather than with none.
      await link(dir.entry(CURRENT_FILE), dir.entry(aside));
      break;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      if (await hasName(dir, aside, mark)) break;
      if (full.number >= mark.number + MOST_NUMBERS_TAKEN) throw inTheWay(dir, aside);
      // Stored first, so that it is found under this name after a crash.
      full = { ...full, number: full.number + 1 };
      await a.record(full);
    }
  }
  await unlink(dir.entry(CURRENT_FILE));
  return nextFile(a, dir, full);
}

async function nextFile(a: Append, dir: MirrorDir, before: FileMark): Promise<OpenFile> {
  const made = await create(a, dir, { folder: before.folder, number: before.number + 1, totalBytes: before.totalBytes });
  if (!made) throw inTheWay(dir);
  return made;
}

/** The file after one that was put aside, made just before a crash and not recorded. */
async function adoptNext(a: Append, dir: MirrorDir, before: FileMark): Promise<OpenFile> {
  const handle = await openOwn(dir, CURRENT_FILE);
  const stat = handle && (await handle.stat());
  if (!handle || !stat?.isFile() || stat.nlink !== 1 || (a.isHostile && stat.size > 0)) {
    await handle?.close();
    throw inTheWay(dir);
  }
  const mark = markOf(stat, { folder: before.folder, number: before.number + 1, totalBytes: before.totalBytes }, 0);
  await a.record(mark);
  return recovered(a, { handle, mark, keys: new Set() }, stat.size);
}

/** Brings a file and its mark together: what stands behind its recorded end is kept where it can be ours, a torn line is cut. */
async function recovered(a: Append, file: OpenFile, size: number): Promise<OpenFile> {
  const { handle, mark } = file;
  if (size === mark.bytes) return file;
  try {
    if (size < mark.bytes) {
      a.note(
        `${a.base}/${a.folder}/${CURRENT_FILE} is shorter than what was written to it: somebody cut it. The mirror goes on behind what is left; export_messages gives the whole.`,
      );
      const torn = await endsInLine(handle, size);
      if (torn) await a.write(handle, Buffer.from('\n'));
      return {
        ...file,
        mark: { ...mark, bytes: size + (torn ? 1 : 0), totalBytes: mark.totalBytes - mark.bytes + size + (torn ? 1 : 0) },
      };
    }
    if (a.isHostile) {
      await handle.truncate(mark.bytes);
      return file;
    }
    const { keys, end } = await readTail(handle, mark.bytes);
    if (end < size) await handle.truncate(end);
    return { handle, keys, mark: grown(mark, end - mark.bytes) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function endsInLine(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

const MessageId = z.object({ type: z.literal('message'), message: z.object({ id: z.string() }) });

/** What a line is about; undefined when that is nothing that is mirrored. */
function keyOf(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const message = MessageId.safeParse(value).data;
  if (message) return messageKey(message.message.id);
  const end = EndLine.safeParse(value).data;
  return end && endKey(end);
}

/** The whole lines from a place on, and where they end. */
async function readTail(handle: FileHandle, from: number): Promise<{ keys: Set<string>; end: number }> {
  const keys = new Set<string>();
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let end = from;
  for (let at = from; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, at);
    if (bytesRead === 0) return { keys, end };
    const piece = buffer.subarray(0, bytesRead);
    const lastBreak = piece.lastIndexOf(0x0a);
    if (lastBreak >= 0) end = at + lastBreak + 1;
    at += bytesRead;
    const lines = (rest + decoder.write(piece)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const key = keyOf(line);
      if (key !== undefined) keys.add(key);
    }
  }
}

/** Opens a file in the folder, not through a symbolic link; undefined when there is none. */
async function openOwn(dir: MirrorDir, name: string): Promise<FileHandle | undefined> {
  try {
    return await open(dir.entry(name), FLAGS);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    if (hasCode(error, 'ELOOP', 'EISDIR', 'ENXIO')) throw inTheWay(dir, name);
    throw error;
  }
}

async function hasName(dir: MirrorDir, name: string, mark: FileMark): Promise<boolean> {
  try {
    const stat = await lstat(dir.entry(name));
    return String(stat.ino) === mark.inode;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function isMarked(stat: Stats, mark: FileMark): boolean {
  return stat.isFile() && String(stat.ino) === mark.inode && stat.nlink <= 2;
}

function markOf(stat: Stats, base: Pick<FileMark, 'folder' | 'number' | 'totalBytes'>, bytes: number): FileMark {
  const { folder, number, totalBytes } = base;
  return { folder, number, totalBytes, inode: String(stat.ino), bytes };
}

function inTheWay(dir: MirrorDir, name = CURRENT_FILE): MirrorProblem {
  return new MirrorProblem(
    `${dir.path}/${name} is not the file that Quarterdeck made there: nothing is written to it. Move it away; the mirror then goes on in a new file.`,
  );
}
