/**
 * Lines of a file as bytes. Text is handled as latin1, one character per byte, so that every count is exact for any encoding
 * and equals what line tools report in the C locale.
 */

/** Bytes looked at to tell a binary file: git's own limit. */
const BINARY_PROBE_BYTES = 8000;

/** Whether git would call it binary: a NUL byte among the first 8000. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, BINARY_PROBE_BYTES).includes(0);
}

/** The file's bytes as latin1 text. */
export function toLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The lines: what a newline ends, and the rest after the last newline unless it is empty. Newlines are not part of them. */
export function splitLines(latin1: string): string[] {
  if (latin1 === '') return [];
  const lines = latin1.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Without ASCII white space (space, \t, \r, \v, \f) at both ends. */
export function trimAscii(line: string): string {
  let start = 0;
  let end = line.length;
  while (start < end && isAsciiSpace(line.charCodeAt(start))) start += 1;
  while (end > start && isAsciiSpace(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

function isAsciiSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || (code >= 0x0b && code <= 0x0d);
}

/** Text to show: the bytes read as UTF-8, wrong sequences replaced. */
export function toUtf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
