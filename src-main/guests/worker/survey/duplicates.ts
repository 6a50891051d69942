/**
 * Duplicate blocks, exactly: from the prints of all files, whoever made them.
 *
 * A *window* is six non-trivial lines that follow each other in a file (trivial and blank lines between them do not count).
 * Its occurrences are all places with the same six lines; in one file a place that overlaps the one before it is not counted,
 * so that a run of equal lines does not duplicate itself. A window with two or more occurrences is duplicated. Duplicated
 * windows that begin one line apart belong to one block when each occurrence of the one is directly followed by an
 * occurrence of the other: a block is a longest text whose every part occurs at the same places.
 */
import type { DuplicateBlock, FileFacts } from '#shared/worker/survey-model.ts';
import { PRINT_BYTES } from './analyse-file.ts';

/** Non-trivial lines in the shortest duplicate block. */
export const MIN_BLOCK_LINES = 6;

/** A file's prints, ready to compare. */
interface PrintedFile {
  readonly path: string;
  /** One text per non-trivial line; equal lines have equal texts. */
  readonly prints: readonly string[];
  /** The line number of each print, from 1. */
  readonly lines: readonly number[];
}

/** A window's place: the file's index and the index of its first print. */
interface Place {
  readonly file: number;
  readonly at: number;
}

/** All duplicate blocks of a set of files. */
export interface Duplicates {
  /** Those that repeat most lines first, then by the place of the first occurrence. */
  readonly blocks: DuplicateBlock[];
  /** Non-trivial lines that are part of some duplicated window. */
  readonly lines: number;
}

/** Finds all duplicate blocks. The order of `files` does not matter. */
export function findDuplicates(files: readonly FileFacts[]): Duplicates {
  const printed = files
    .map(decodePrints)
    .filter((file) => file !== undefined)
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const windows = duplicatedWindows(printed);
  return { blocks: joinWindows(printed, windows).sort(compareBlocks), lines: coveredLines(windows) };
}

function decodePrints(file: FileFacts): PrintedFile | undefined {
  if (file.prints === undefined || file.printed === undefined) return undefined;
  const bytes = Buffer.from(file.prints, 'base64');
  const bitmap = Buffer.from(file.printed, 'base64');
  const prints: string[] = [];
  for (let at = 0; at + PRINT_BYTES <= bytes.length; at += PRINT_BYTES)
    prints.push(bytes.toString('latin1', at, at + PRINT_BYTES));
  const lines: number[] = [];
  for (let index = 0; index < bitmap.length * 8; index += 1) {
    if (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) lines.push(index + 1);
  }
  return { path: file.path, prints, lines };
}

/** Duplicated windows by their text. */
function duplicatedWindows(files: readonly PrintedFile[]): Map<string, Place[]> {
  const windows = new Map<string, Place[]>();
  files.forEach((file, index) => {
    for (let at = 0; at + MIN_BLOCK_LINES <= file.prints.length; at += 1) {
      const key = windowKey(file, at);
      const places = windows.get(key);
      const last = places?.at(-1);
      if (places === undefined) windows.set(key, [{ file: index, at }]);
      else if (last !== undefined && (last.file !== index || at - last.at >= MIN_BLOCK_LINES)) places.push({ file: index, at });
    }
  });
  for (const [key, places] of windows) if (places.length < 2) windows.delete(key);
  return windows;
}

function windowKey(file: PrintedFile, at: number): string {
  return file.prints.slice(at, at + MIN_BLOCK_LINES).join('');
}

function joinWindows(files: readonly PrintedFile[], windows: ReadonlyMap<string, readonly Place[]>): DuplicateBlock[] {
  const next = new Map<string, string>();
  const continued = new Set<string>();
  for (const [key, places] of windows) {
    const first = places[0];
    const file = first === undefined ? undefined : files[first.file];
    if (first === undefined || file === undefined) continue;
    const follower = windowKey(file, first.at + 1);
    const followers = windows.get(follower);
    if (followers !== undefined && isShifted(places, followers)) {
      next.set(key, follower);
      continued.add(follower);
    }
  }
  const blocks: DuplicateBlock[] = [];
  for (const [key, places] of windows) {
    if (continued.has(key)) continue;
    let length = MIN_BLOCK_LINES;
    for (let follower = next.get(key); follower !== undefined; follower = next.get(follower)) length += 1;
    blocks.push({ lines: length, times: places.length, occurrences: places.map((place) => occurrence(files, place, length)) });
  }
  return blocks;
}

function isShifted(places: readonly Place[], followers: readonly Place[]): boolean {
  return (
    places.length === followers.length &&
    places.every((place, index) => followers[index]?.file === place.file && followers[index].at === place.at + 1)
  );
}

function occurrence(files: readonly PrintedFile[], place: Place, length: number): DuplicateBlock['occurrences'][number] {
  const file = files[place.file];
  return { path: file?.path ?? '', startLine: file?.lines[place.at] ?? 0, endLine: file?.lines[place.at + length - 1] ?? 0 };
}

function coveredLines(windows: ReadonlyMap<string, readonly Place[]>): number {
  const covered = new Set<string>();
  for (const places of windows.values()) {
    for (const place of places)
      for (let offset = 0; offset < MIN_BLOCK_LINES; offset += 1) covered.add(`${place.file}:${place.at + offset}`);
  }
  return covered.size;
}

/** Lines that would go if all but one occurrence went. */
function repeatedLines(block: DuplicateBlock): number {
  return block.lines * (block.times - 1);
}

function compareBlocks(a: DuplicateBlock, b: DuplicateBlock): number {
  const [x, y] = [a.occurrences[0], b.occurrences[0]];
  return (
    repeatedLines(b) - repeatedLines(a) ||
    b.lines - a.lines ||
    compareText(x?.path ?? '', y?.path ?? '') ||
    (x?.startLine ?? 0) - (y?.startLine ?? 0) ||
    compareText(JSON.stringify(a.occurrences), JSON.stringify(b.occurrences))
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
