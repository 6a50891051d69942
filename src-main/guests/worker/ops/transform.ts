/** `transform`: rows from a file or a step, through the steps, into a file or the result. */
import { readFile, stat } from 'node:fs/promises';
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOf } from '#shared/worker/model.ts';
import type { OutputFormat } from '#shared/worker/transform-model.ts';
import type { TaskContext } from '../task-context.ts';
import { TaskFailure } from '../task-failure.ts';
import { formatOfPath, formatRows, parseRows } from '../transform/formats.ts';
import { transformRows } from '../transform/transform-rows.ts';
import { fileFailure } from '../workspace.ts';

/** Largest input file, in bytes: it is held in memory as a whole. */
const MAX_INPUT_BYTES = 256 * 1024 * 1024;

/** Transforms rows. Without an output file the rows are the result: a list for json, else a text. */
export async function transform(task: TaskOf<'transform'>, context: TaskContext): Promise<Json> {
  const rows = typeof task.input === 'string' ? await readRows(task.input, task.from, context) : task.input;
  const transformed = transformRows(rows, task.steps);
  const format = task.to ?? outputFormatOf(task.output) ?? context.settings.outputFormat;
  if (task.output === undefined)
    return { rows: transformed.length, format, data: format === 'json' ? transformed : formatRows(transformed, format) };
  const artefact = await context.workspace.write(task.output, formatRows(transformed, format));
  context.artefacts.push(artefact);
  return { rows: transformed.length, format, ...artefact };
}

async function readRows(input: string, from: TaskOf<'transform'>['from'], context: TaskContext): Promise<Json[]> {
  const absolute = await context.workspace.existing(input);
  let text: string;
  try {
    const { size } = await stat(absolute);
    if (size > MAX_INPUT_BYTES)
      throw new TaskFailure('too-large', `"${input}" has ${size} bytes; at most ${MAX_INPUT_BYTES} can be transformed`);
    text = await readFile(absolute, { encoding: 'utf8', signal: context.signal });
  } catch (error) {
    throw fileFailure(error, input);
  }
  return parseRows(text, from ?? formatOfPath(input) ?? 'json');
}

function outputFormatOf(path: string | undefined): OutputFormat | undefined {
  const format = path === undefined ? undefined : formatOfPath(path);
  return format === 'lines' ? undefined : format;
}
