/** The answer of a task in words, for people who read it in a list of messages: the data beside it holds everything. Pure. */
import * as z from 'zod';
import type { Json } from '#shared/kernel/json.ts';
import { MAX_BODY_CHARS } from '#shared/messages/model.ts';
import type { Artefact, TaskOutcome } from '#shared/worker/outcome.ts';

/** The most lines and characters of a result or an output that are shown. */
const MAX_LINES = 10;
const MAX_CHARS = 2_000;
/** The most files and fields that are named. */
const MAX_NAMES = 3;

const CommandResult = z.object({ exitCode: z.number().nullable(), stdout: z.string(), stderr: z.string().default('') });
const Totals = z.object({ totals: z.object({ files: z.number(), lines: z.number() }) });
const Inventory = z.object({ totalFiles: z.number(), totalBytes: z.number() });
const Analysis = z.object({ analyst: z.string(), files: z.array(z.object({ lines: z.number() })), todos: z.array(z.unknown()) });

/** What is said of a result in a sentence, and what of it is shown below. */
interface Description {
  readonly said: readonly string[];
  readonly shown?: string;
}

/** The answer for people. */
export function describeOutcome(outcome: TaskOutcome): string {
  if (!outcome.ok) return `Failed: ${outcome.error.message}`.slice(0, MAX_BODY_CHARS).trimEnd();
  const { said, shown } = describe(outcome.result);
  const sentence = [...said, ...wrote(outcome.artefacts ?? [])].join('; ');
  const first = `${sentence === '' ? '' : `${capitalised(sentence)}. `}Done in ${seconds(outcome.durationMs)}.`;
  return shown === undefined ? first : `${first}\n\n${shown}`;
}

/** A duration as people say it. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 1_000 ? 2 : 1)} s`;
}

function describe(result: Json): Description {
  if (result === null) return { said: [] };
  if (typeof result === 'string') return { said: [], shown: beginning(result) };
  const command = CommandResult.safeParse(result).data;
  if (command) return describeCommand(command);
  const survey = surveyOf(result);
  if (survey) return { said: [survey] };
  const json = JSON.stringify(result, null, 2);
  if (json.length <= MAX_CHARS && json.split('\n').length <= MAX_LINES) return { said: [], shown: json };
  if (Array.isArray(result))
    return { said: [`the result is a list of ${count(result.length, 'entry', 'entries')}, in the data`] };
  return { said: [`the result is in the data: ${named(Object.keys(result))}`] };
}

/** The exit code and the last lines: that is where a program says what came of it. */
function describeCommand({ exitCode, stdout, stderr }: z.infer<typeof CommandResult>): Description {
  const said = [exitCode === null ? 'ended by a signal' : `exit code ${exitCode}`];
  const lines = [stdout.trimEnd(), stderr.trimEnd()].filter((text) => text !== '').flatMap((text) => text.split('\n'));
  if (lines.length === 0) return { said: [...said, 'no output'] };
  const tail = lines.slice(-MAX_LINES).join('\n').slice(-MAX_CHARS);
  return {
    said,
    shown:
      lines.length > MAX_LINES
        ? `… (${count(lines.length - MAX_LINES, 'line', 'lines')} before these are in the data)\n${tail}`
        : tail,
  };
}

/** What the operations of a survey found, also where a pipeline returns several of their results. */
function surveyOf(result: Exclude<Json, string | null>): string | undefined {
  const steps: readonly unknown[] = typeof result === 'object' && !Array.isArray(result) ? Object.values(result) : [];
  for (const part of [result, ...steps]) {
    const totals = Totals.safeParse(part).data?.totals;
    if (totals) return `surveyed ${count(totals.files, 'file', 'files')}, ${count(totals.lines, 'line', 'lines')}`;
  }
  const analysis = Analysis.safeParse(result).data;
  if (analysis) {
    const lines = analysis.files.reduce((sum, file) => sum + file.lines, 0);
    return `analysed ${count(analysis.files.length, 'file', 'files')}, ${count(lines, 'line', 'lines')}; ${count(analysis.todos.length, 'open item', 'open items')}`;
  }
  const inventory = Inventory.safeParse(result).data;
  return inventory ? `found ${count(inventory.totalFiles, 'file', 'files')}, ${size(inventory.totalBytes)}` : undefined;
}

function wrote(artefacts: readonly Artefact[]): string[] {
  return artefacts.length === 0 ? [] : [`wrote ${named(artefacts.map(({ path, bytes }) => `${path} (${size(bytes)})`))}`];
}

function beginning(text: string): string {
  const lines = text.trimEnd().split('\n');
  const shown = lines.slice(0, MAX_LINES).join('\n').slice(0, MAX_CHARS);
  return shown.length < text.trimEnd().length ? `${shown}\n… (the whole is in the data)` : shown;
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map((name) => (name.length > 80 ? `${name.slice(0, 79)}…` : name));
  return `${shown.join(', ')}${names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ''}`;
}

function count(value: number, one: string, many: string): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : many}`;
}

function size(bytes: number): string {
  if (bytes < 1024) return count(bytes, 'byte', 'bytes');
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
