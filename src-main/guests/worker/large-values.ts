/**
 * Values too large for a message travel through the workspace: they are written to a file there and the message names it.
 * Between peers this needs a workspace that both see; a reader that does not see the file says so.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { Json } from '#shared/kernel/json.ts';
import { MAX_DATA_CHARS } from '#shared/messages/model.ts';
import type { Artefact } from '#shared/worker/outcome.ts';
import { TaskFailure } from './task-failure.ts';
import type { Workspace } from './workspace.ts';

/** The folder for such files. It hides itself from git and is never part of an inventory. */
export const LARGE_VALUES_FOLDER = '.quarterdeck-worker';
/** Room for what stands around the value in a message, in characters. */
const ENVELOPE_CHARS = 4096;
/** Files that were left behind by a crash go after this time, in milliseconds: a week. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;

/** Stands for a value that is in a file. */
const FileReference = z.strictObject({ $file: z.string(), bytes: z.number(), sha256: z.string() });

/** A value as it goes into a message. */
export interface Packed {
  readonly value: Json;
  /** The file that it went to, if it did. */
  readonly file?: Artefact;
}

/** Packs a value. `key` names it: the same key is written to the same file. */
export async function packValue(workspace: Workspace, value: Json, key: string): Promise<Packed> {
  const text = JSON.stringify(value);
  if (text.length <= MAX_DATA_CHARS - ENVELOPE_CHARS) return { value };
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
  await workspace.write(`${LARGE_VALUES_FOLDER}/.gitignore`, '*\n');
  const file = await workspace.write(`${LARGE_VALUES_FOLDER}/${name}.json`, text);
  return { value: { $file: file.path, bytes: file.bytes, sha256: file.sha256 }, file };
}

/** The value of what came in a message. Throws a TaskFailure when its file is not there or another. */
export async function unpackValue(workspace: Workspace, value: Json): Promise<{ value: Json; file?: string }> {
  const reference = FileReference.safeParse(value).data;
  if (reference === undefined) return { value };
  let bytes: Buffer;
  try {
    bytes = await readFile(await workspace.existing(reference.$file));
  } catch (error) {
    throw new TaskFailure(
      'input',
      `The message names the file "${reference.$file}", which is not in this worker's workspace: large values need a workspace that both share`,
      { cause: error },
    );
  }
  if (createHash('sha256').update(bytes).digest('hex') !== reference.sha256)
    throw new TaskFailure('input', `The file "${reference.$file}" is not the one that the message names`);
  return { value: Json.parse(JSON.parse(bytes.toString('utf8'))), file: reference.$file };
}

/** Removes files that are needed no more. Missing ones are no error. */
export async function removeFiles(workspace: Workspace, files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (file.startsWith(`${LARGE_VALUES_FOLDER}/`)) await rm(await workspace.place(file), { force: true });
  }
}

/** Removes what was left behind long ago. */
export async function sweepLargeValues(workspace: Workspace, nowMs: number): Promise<void> {
  const folder = path.join(workspace.root, LARGE_VALUES_FOLDER);
  for (const name of await readdir(folder).catch(() => [])) {
    const file = `${LARGE_VALUES_FOLDER}/${name}`;
    const age = await stat(path.join(folder, name)).then(
      (stats) => nowMs - stats.mtimeMs,
      () => 0,
    );
    if (name.endsWith('.json') && age > MAX_AGE_MS) await removeFiles(workspace, [file]);
  }
}
