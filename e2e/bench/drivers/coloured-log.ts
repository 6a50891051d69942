/** A long coloured log, the same at every run: what builds and agents print. */
import { closeSync, openSync, writeSync } from 'node:fs';

const LEVELS = ['\u001b[32mINFO \u001b[0m', '\u001b[33mWARN \u001b[0m', '\u001b[1;31mERROR\u001b[0m', '\u001b[2mDEBUG\u001b[0m'];
const WORDS = ['compile', 'resolve', 'render', 'flush', 'open', 'accept', 'retry', 'parse', 'merge', 'index', 'write', 'verify'];

/** One line, with its end. About 113 bytes, at most 96 columns. */
export function logLine(index: number): string {
  const level = LEVELS[(index * 7) % LEVELS.length] ?? '';
  const word = WORDS[(index * 11) % WORDS.length] ?? '';
  const other = WORDS[(index * 5 + 3) % WORDS.length] ?? '';
  const ms = ((index * 7919) % 10_000) / 10;
  return `\u001b[38;5;${(index * 13) % 216}m${String(index).padStart(7, '0')}\u001b[0m ${level} ${word} \u001b[36msrc/${other}/${word}-${index % 997}.ts\u001b[0m done in \u001b[1m${ms.toFixed(1)}\u001b[0m ms (${(index * 31) % 4096} of 4096)\n`;
}

/** Writes whole lines, at least `bytes` of them, and returns how many bytes and lines it became. */
export function writeLog(file: string, bytes: number): { bytes: number; lines: number } {
  const fd = openSync(file, 'w');
  let written = 0;
  let lines = 0;
  while (written < bytes) {
    let piece = '';
    for (; piece.length < 1 << 20 && written + piece.length < bytes; lines += 1) piece += logLine(lines);
    written += writeSync(fd, piece);
  }
  closeSync(fd);
  return { bytes: written, lines };
}
