/** Reads what an asar archive lists. The format: a pickle of a pickle of JSON, then the files (electron/asar, README). */
import { closeSync, openSync, readSync } from 'node:fs';
import * as z from 'zod';

/** Where the length of the JSON stands, and the JSON itself, in bytes. */
const LENGTH_AT = 12;
const JSON_AT = 16;

interface Node {
  readonly files?: Record<string, Node>;
  readonly unpacked?: boolean;
}
const Node: z.ZodType<Node> = z.lazy(() =>
  z.object({ files: z.record(z.string(), Node).optional(), unpacked: z.boolean().optional() }),
);

/** One file of an archive. */
export interface ArchivedFile {
  /** With slashes, from the archive's root. */
  readonly path: string;
  /** Whether it lies beside the archive instead of in it. */
  readonly isUnpacked: boolean;
}

/** The files that an archive lists. */
export function filesOfArchive(archive: string): ArchivedFile[] {
  const file = openSync(archive, 'r');
  try {
    const head = Buffer.alloc(JSON_AT);
    readSync(file, head, 0, JSON_AT, 0);
    const text = Buffer.alloc(head.readUInt32LE(LENGTH_AT));
    readSync(file, text, 0, text.length, JSON_AT);
    return under('', Node.parse(JSON.parse(text.toString('utf8'))));
  } finally {
    closeSync(file);
  }
}

function under(path: string, node: Node): ArchivedFile[] {
  if (node.files === undefined) return [{ path, isUnpacked: node.unpacked === true }];
  return Object.entries(node.files).flatMap(([name, child]) => under(path === '' ? name : `${path}/${name}`, child));
}
