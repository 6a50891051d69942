/** `files.*`: operations on files of the workspace. */
import { copyFile, lstat, mkdir, open, readFile, rename, rm, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOf } from '#shared/worker/model.ts';
import { findFiles } from '../find-files.ts';
import type { TaskContext } from '../task-context.ts';
import { errorCode, TaskFailure } from '../task-failure.ts';
import { fileFailure, hashFile } from '../workspace.ts';

/** Lists files with their sizes, sorted by path. */
export async function listFiles(task: TaskOf<'files.list'>, context: TaskContext): Promise<Json> {
  const { files, total } = await findFiles(context.workspace.root, { ...task, signal: context.signal });
  return { files: files.map(({ path: file, bytes }) => ({ path: file, bytes })), total, truncated: total > files.length };
}

/** Reads a file, or its beginning. */
export async function readWorkspaceFile(task: TaskOf<'files.read'>, context: TaskContext): Promise<Json> {
  const absolute = await context.workspace.existing(task.path);
  try {
    const handle = await open(absolute, 'r');
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(Math.min(size, task.maxBytes));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      return {
        path: task.path,
        content: buffer.subarray(0, bytesRead).toString(task.encoding),
        bytes: size,
        truncated: size > bytesRead,
      };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileFailure(error, task.path);
  }
}

/** Writes a file; the result is an artefact. */
export async function writeWorkspaceFile(task: TaskOf<'files.write'>, context: TaskContext): Promise<Json> {
  await refuseTaken(task.path, task.overwrite, context);
  if (task.encoding === 'base64' && typeof task.content !== 'string')
    throw new TaskFailure('input', 'content must be a text when encoding is "base64"');
  const bytes =
    typeof task.content === 'string'
      ? Buffer.from(task.content, task.encoding)
      : Buffer.from(`${JSON.stringify(task.content, null, 2)}\n`);
  const artefact = await context.workspace.write(task.path, bytes);
  context.artefacts.push(artefact);
  return { ...artefact };
}

/** Copies one file. */
export async function copyWorkspaceFile(task: TaskOf<'files.copy'>, context: TaskContext): Promise<Json> {
  const from = await context.workspace.existing(task.from);
  await refuseTaken(task.to, task.overwrite, context);
  try {
    const artefact = await context.workspace.write(task.to, await readFile(from));
    await copyMode(from, await context.workspace.place(task.to));
    context.artefacts.push(artefact);
    return { ...artefact };
  } catch (error) {
    throw fileFailure(error, task.from);
  }
}

/** Moves a file or folder. A link is moved itself, not what it leads to. */
export async function moveWorkspaceFile(task: TaskOf<'files.move'>, context: TaskContext): Promise<Json> {
  const from = await context.workspace.place(task.from);
  await refuseTaken(task.to, task.overwrite, context);
  const to = await context.workspace.place(task.to);
  try {
    await lstat(from);
    await mkdir(path.dirname(to), { recursive: true });
    await rename(from, to);
  } catch (error) {
    // Within the workspace another file system can be mounted: then the file is copied and the first one removed.
    if (errorCode(error) !== 'EXDEV') throw fileFailure(error, task.from);
    await copyFile(from, to);
    await unlink(from);
  }
  return { from: task.from, to: task.to };
}

/** Removes a file, a link itself, or a folder. */
export async function removeWorkspaceFile(task: TaskOf<'files.remove'>, context: TaskContext): Promise<Json> {
  const absolute = await context.workspace.place(task.path);
  try {
    const stats = await lstat(absolute);
    if (!stats.isDirectory()) await unlink(absolute);
    else if (task.recursive) await rm(absolute, { recursive: true });
    else await rmdir(absolute);
    return { path: task.path, removed: true };
  } catch (error) {
    if (task.allowMissing && errorCode(error) === 'ENOENT') return { path: task.path, removed: false };
    throw fileFailure(error, task.path);
  }
}

/** Digests of files. */
export async function hashFiles(task: TaskOf<'files.hash'>, context: TaskContext): Promise<Json> {
  const files: { path: string; bytes: number; digest: string }[] = [];
  for (const file of task.paths) {
    context.signal.throwIfAborted();
    const absolute = await context.workspace.existing(file);
    try {
      files.push({ path: file, bytes: (await lstat(absolute)).size, digest: await hashFile(absolute, task.algorithm) });
    } catch (error) {
      throw fileFailure(error, file);
    }
  }
  return { algorithm: task.algorithm, files };
}

async function refuseTaken(relative: string, isOverwriteAllowed: boolean, context: TaskContext): Promise<void> {
  if (!isOverwriteAllowed && (await context.workspace.isTaken(relative)))
    throw new TaskFailure('file', `"${relative}" exists already: set "overwrite" to replace it`);
}

/** Executable files stay executable. */
async function copyMode(from: string, to: string): Promise<void> {
  const { mode } = await lstat(from);
  const handle = await open(to, 'r');
  try {
    await handle.chmod(mode & 0o777);
  } finally {
    await handle.close();
  }
}
