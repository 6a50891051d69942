/** Reads a team file for `up`: what is wrong with it is said with file, line, field, and what is allowed. */
import { LineCounter, isMap, isNode, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { Team } from '#shared/teams/model.ts';
import type { InputIssue } from '#shared/kernel/describe-issues.ts';
import { describeIssue, inputJsonSchema } from '#shared/kernel/describe-issues.ts';
import { CliError } from './cli-error.ts';

/** Complaints beyond this many are counted, not listed. */
const MAX_LISTED = 10;

function problem(lines: readonly string[]): CliError {
  const more = lines.length > MAX_LISTED ? `\n  and ${lines.length - MAX_LISTED} more` : '';
  const text =
    lines.length === 1
      ? (lines[0] ?? '')
      : `the team file is not valid:\n${lines
          .slice(0, MAX_LISTED)
          .map((line) => `  ${line}`)
          .join('\n')}${more}`;
  return new CliError('BAD_REQUEST', text, { data: { problems: lines.slice(0, MAX_LISTED) } });
}

/** The line of the deepest part of `path` that is in the file. */
function lineAt(document: Document.Parsed, path: readonly PropertyKey[], counter: LineCounter): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const keys = path.slice(0, length);
    const parent: unknown =
      keys.length === 0 ? undefined : length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
    // A key stands on the line that a reader looks for; its value may begin further down.
    const key = isMap(parent)
      ? parent.items.find((item) => isNode(item.key) && String(item.key) === String(keys.at(-1)))?.key
      : undefined;
    const node: unknown = key ?? (keys.length === 0 ? document.contents : document.getIn(keys, true));
    if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
  }
  return 1;
}

/** Reads a team file (YAML, JSON included). BAD_REQUEST says what is wrong where; `file` is its name for messages. */
export function readTeamFile(text: string, file: string): Team {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  if (document.errors.length > 0) {
    throw problem(
      document.errors.map((error) => `${file}:${counter.linePos(error.pos[0]).line}: this is not YAML: ${error.message}`),
    );
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    throw problem([`${file}: this is not usable YAML: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const result = Team.safeParse(value);
  if (result.success) return result.data;
  const schema = inputJsonSchema(Team);
  throw problem(
    result.error.issues.flatMap(splitKeys).map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, ...(issue.keys ?? []).slice(0, 1)] : issue.path;
      return `${file}:${lineAt(document, path, counter)}: ${describeIssue(issue, schema, value).text}`;
    }),
  );
}

interface PathIssue extends InputIssue {
  readonly path: readonly PropertyKey[];
}

/** One issue for each unknown field, so that each gets its own line. */
function splitKeys(issue: PathIssue): PathIssue[] {
  return issue.code === 'unrecognized_keys' ? (issue.keys ?? []).map((key) => ({ ...issue, keys: [key] })) : [issue];
}
