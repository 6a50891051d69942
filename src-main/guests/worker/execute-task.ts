/** Runs one task: checks it as a whole, then runs its operation, and those inside it, each with its references filled in. */
import type { Json } from '#shared/kernel/json.ts';
import type { Artefact } from '#shared/worker/outcome.ts';
import type { WorkerTask } from '#shared/worker/model.ts';
import { checkTask, parseTask } from './check-task.ts';
import { askOperator, askPeer, askPeers } from './ops/ask.ts';
import { runBatch } from './ops/batch.ts';
import {
  copyWorkspaceFile,
  hashFiles,
  listFiles,
  moveWorkspaceFile,
  readWorkspaceFile,
  removeWorkspaceFile,
  writeWorkspaceFile,
} from './ops/files.ts';
import { runPipeline } from './ops/pipeline.ts';
import { runCommand } from './ops/run.ts';
import { analyseShare, mergeShares, splitInventory, takeInventory, writeReport } from './ops/survey.ts';
import { transform } from './ops/transform.ts';
import { EMPTY_SCOPE, resolveTask } from './references.ts';
import type { JsonObject } from './references.ts';
import type { TaskContext, TaskServices } from './task-context.ts';

/** What a task came to. */
export interface Executed {
  readonly result: Json;
  readonly artefacts: Artefact[];
}

/** Runs a task from the outside. Rejects with a TaskFailure, or with the signal's reason. */
export async function executeTask(data: Json, services: TaskServices, signal: AbortSignal): Promise<Executed> {
  const task = checkTask(data);
  const artefacts: Artefact[] = [];
  const run: TaskContext['run'] = async (inner, at) => {
    const context: TaskContext = {
      ...services,
      artefacts,
      run,
      place: at.place,
      scope: at.scope,
      signal: at.signal ?? signal,
      progress: at.progress ?? services.progress,
    };
    return perform(parseTask(resolveTask(inner, at.scope)), context);
  };
  const result = await run(task, { place: '', scope: EMPTY_SCOPE });
  return { result, artefacts: uniqueByPath(artefacts) };
}

async function perform(task: WorkerTask, context: TaskContext): Promise<Json> {
  switch (task.op) {
    case 'run':
      return runCommand(task, context);
    case 'pipeline':
      return runPipeline(task, context);
    case 'batch':
      return runBatch(task, context);
    case 'ask':
      return askPeer(task, context);
    case 'askAll':
      return askPeers(task, context);
    case 'question':
      return askOperator(task, context);
    case 'transform':
      return transform(task, context);
    case 'files.list':
      return listFiles(task, context);
    case 'files.read':
      return readWorkspaceFile(task, context);
    case 'files.write':
      return writeWorkspaceFile(task, context);
    case 'files.copy':
      return copyWorkspaceFile(task, context);
    case 'files.move':
      return moveWorkspaceFile(task, context);
    case 'files.remove':
      return removeWorkspaceFile(task, context);
    case 'files.hash':
      return hashFiles(task, context);
    case 'inventory':
      return takeInventory(task, context);
    case 'split':
      return splitInventory(task);
    case 'analyse':
      return analyseShare(task, context);
    case 'merge':
      return mergeShares(task);
    case 'report':
      return writeReport(task, context);
  }
}

/** A file that was written twice is one artefact, as it is now. */
function uniqueByPath(artefacts: readonly Artefact[]): Artefact[] {
  return [...new Map(artefacts.map((artefact) => [artefact.path, artefact])).values()];
}

/** The task that a message without data stands for: a line "$ command" is run by a shell. */
export function taskOfBody(body: string): JsonObject | undefined {
  const line = body.trim();
  return line.startsWith('$ ') && !line.includes('\n') ? { op: 'run', command: line.slice(2) } : undefined;
}
