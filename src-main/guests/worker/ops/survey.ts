/** `inventory`, `split`, `analyse`, `merge` and `report`: the survey of a workspace, step by step. */
import { open, readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOf } from '#shared/worker/model.ts';
import type { FileFacts, InventoryFile, TodoItem } from '#shared/worker/survey-model.ts';
import { findFiles } from '../find-files.ts';
import { analyseFile } from '../survey/analyse-file.ts';
import { BINARY, languageOf } from '../survey/languages.ts';
import { mergeReports } from '../survey/merge-reports.ts';
import { renderReport, REPORT_MARKER } from '../survey/render-report.ts';
import { splitFiles } from '../survey/split-files.ts';
import { isBinary } from '../survey/text-lines.ts';
import type { TaskContext } from '../task-context.ts';
import { TaskFailure } from '../task-failure.ts';

/** The survey's own page is not part of what is surveyed. */
const OWN_REPORT = 'report.md';
/** How much of a file is read to tell whether it is binary. */
const PROBE_BYTES = 8000;

/** Lists the workspace's files with size, language and kind. */
export async function takeInventory(task: TaskOf<'inventory'>, context: TaskContext): Promise<Json> {
  const found = await findFiles(context.workspace.root, {
    globs: task.globs,
    ignore: [...(task.ignore ?? []), OWN_REPORT],
    maxFiles: task.maxFiles,
    signal: context.signal,
  });
  if (found.total > task.maxFiles)
    throw new TaskFailure(
      'too-large',
      `There are ${found.total} files, more than maxFiles (${task.maxFiles}): narrow it down with "globs" or "ignore"`,
    );
  const files: InventoryFile[] = [];
  for (const [index, { path, bytes }] of found.files.entries()) {
    context.signal.throwIfAborted();
    const binary = await looksBinary(await context.workspace.existing(path));
    files.push({ path, bytes, language: binary ? BINARY : languageOf(path), isBinary: binary });
    context.progress((index + 1) / found.files.length);
  }
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  context.say(`${files.length} files, ${totalBytes} bytes (${found.source})`);
  return { source: found.source, files, totalFiles: files.length, totalBytes };
}

async function looksBinary(absolute: string): Promise<boolean> {
  const handle = await open(absolute, 'r');
  try {
    const buffer = Buffer.alloc(PROBE_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, PROBE_BYTES, 0);
    return isBinary(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Deals files out into shares. */
export function splitInventory(task: TaskOf<'split'>): Json {
  return { shares: splitFiles(task.files, task.parts).map((share) => ({ files: share.files, bytes: share.bytes })) };
}

/** Counts what is in a share of the files. Files that are gone by now are listed, not an error. */
export async function analyseShare(task: TaskOf<'analyse'>, context: TaskContext): Promise<Json> {
  const startedAt = performance.now();
  const files: FileFacts[] = [];
  const todos: TodoItem[] = [];
  const missing: string[] = [];
  for (const [index, path] of task.files.entries()) {
    context.signal.throwIfAborted();
    const bytes = await readShareFile(path, context);
    if (bytes === undefined) missing.push(path);
    else {
      const analysis = analyseFile(path, bytes);
      files.push(analysis.facts);
      todos.push(...analysis.todos);
    }
    context.progress((index + 1) / task.files.length);
    // Long shares leave the loop to others: health, messages, the terminal.
    await setImmediate();
  }
  context.say(`${files.length} files analysed`);
  return { analyst: context.agentId, files, todos, missing, durationMs: Math.round(performance.now() - startedAt) };
}

async function readShareFile(path: string, context: TaskContext): Promise<Uint8Array | undefined> {
  try {
    return await readFile(await context.workspace.existing(path), { signal: context.signal });
  } catch (error) {
    context.signal.throwIfAborted();
    // A path that leads out of the workspace is a wrong task, not a file that went away.
    if (error instanceof TaskFailure && error.kind === 'path') throw error;
    return undefined;
  }
}

/** Makes one survey of all reports. */
export function mergeShares(task: TaskOf<'merge'>): Json {
  return mergeReports(task.reports);
}

/** Writes the survey as a page. */
export async function writeReport(task: TaskOf<'report'>, context: TaskContext): Promise<Json> {
  if (!task.overwrite && (await context.workspace.isTaken(task.path))) {
    const current = await readFile(await context.workspace.existing(task.path), 'utf8').catch(() => '');
    if (!current.startsWith(REPORT_MARKER))
      throw new TaskFailure(
        'file',
        `"${task.path}" exists and was not written by a worker: choose another "path", or set "overwrite"`,
      );
  }
  const artefact = await context.workspace.write(task.path, renderReport(task.title, task.survey));
  context.artefacts.push(artefact);
  context.say(`wrote ${artefact.path}, ${artefact.bytes} bytes`);
  const { totals, duplicates, todoCount } = task.survey;
  return { ...artefact, totals, todos: todoCount, duplicateBlocks: duplicates.blocks };
}
