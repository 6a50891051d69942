/**
 * The facts of a survey, found by other means than the worker's: git, stat, grep and awk. What a crew reports is checked
 * against these. Shares no code with src-main/guests/worker/survey; the definitions are those of docs/agents.md.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Lines and files of one language. */
export interface LanguageFacts {
  files: number;
  bytes: number;
  lines: number;
  blank: number;
}

/** What is true of a folder. */
export interface Facts {
  /** Regular files that git lists (tracked, or untracked and not ignored), without report.md. */
  readonly files: number;
  readonly bytes: number;
  readonly lines: number;
  readonly blank: number;
  /** For the languages in `EXTENSIONS` and for binary files ("Binary"). */
  readonly languages: ReadonlyMap<string, LanguageFacts>;
  /** "path:line:TODO" or "path:line:FIXME", sorted. */
  readonly todos: readonly string[];
  /** "path:bytes" of the 20 largest, by bytes, then by path. */
  readonly largest: readonly string[];
  /** Blocks of six or more telling lines that occur twice, and telling lines that are part of one. */
  readonly duplicateBlocks: number;
  readonly duplicateLines: number;
}

/** Languages that are checked one by one, with the ends of their files' names. */
export const EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  TypeScript: ['ts', 'tsx', 'mts', 'cts'],
  JavaScript: ['js', 'jsx', 'mjs', 'cjs'],
  JSON: ['json', 'jsonl', 'webmanifest'],
  Markdown: ['md', 'mdx', 'markdown'],
  YAML: ['yaml', 'yml'],
  CSS: ['css'],
  HTML: ['html', 'htm', 'xhtml'],
  Shell: ['sh', 'bash', 'zsh', 'fish'],
  Python: ['py', 'pyi'],
  SQL: ['sql'],
};

/** Files above this size take no part in the search for duplicates. */
const MAX_PRINTED_BYTES = 1024 * 1024;

/** A program's standard output as latin1, so that bytes survive. Runs in the C locale. */
async function output(
  folder: string,
  program: string,
  args: readonly string[],
  okCodes: readonly number[] = [0],
): Promise<string> {
  try {
    const { stdout } = await execFileAsync(program, args, {
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C' },
      encoding: 'latin1',
      maxBuffer: 512 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      okCodes.some((code) => code === error.code) &&
      'stdout' in error &&
      typeof error.stdout === 'string'
    )
      return error.stdout;
    throw error;
  }
}

/** Runs a program over many files, some hundred at a time: command lines are limited. `./` keeps names from being taken for options. */
async function overFiles(folder: string, files: readonly string[], program: string, args: readonly string[]): Promise<string> {
  let all = '';
  // grep ends with 1 when nothing matched.
  for (let from = 0; from < files.length; from += 400)
    all += await output(folder, program, [...args, ...files.slice(from, from + 400).map((file) => `./${file}`)], [1]);
  return all;
}

/** "path NUL number newline" records, as `grep -Zc` prints them. */
function countsByPath(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [file, count] = line.split('\0');
    if (file !== undefined && count !== undefined) counts.set(toUtf8(file.slice(2)), Number(count));
  }
  return counts;
}

/** Counts the facts of a git repository's working tree. Needs git, and GNU grep, stat and awk. */
export async function surveyFacts(folder: string): Promise<Facts> {
  const listed = (await output(folder, 'git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])).split('\0');
  const candidates = [...new Set(listed)].filter((file) => file !== '' && file !== 'report.md');
  const sizes = await sizesOf(folder, candidates);
  const files = [...sizes.keys()];
  const binary = await binaryFiles(folder, files);
  const texts = files.filter((file) => !binary.has(file));

  const lines = countsByPath(await overFiles(folder, texts, 'grep', ['-aHZc', '']));
  const blank = countsByPath(await overFiles(folder, texts, 'grep', ['-aHZcx', '[[:space:]]*']));
  const bytesOf = (group: readonly string[]): number => sum(group.map((file) => sizes.get(file) ?? 0));
  const languageFacts = (group: readonly string[]): LanguageFacts => ({
    files: group.length,
    bytes: bytesOf(group),
    lines: sum(group.map((file) => lines.get(file) ?? 0)),
    blank: sum(group.map((file) => blank.get(file) ?? 0)),
  });
  const languages = new Map<string, LanguageFacts>();
  for (const [language, extensions] of Object.entries(EXTENSIONS)) {
    const group = texts.filter((file) => extensions.some((extension) => new RegExp(`[^/]\\.${extension}$`, 'i').test(file)));
    if (group.length > 0) languages.set(language, languageFacts(group));
  }
  if (binary.size > 0) languages.set('Binary', languageFacts([...binary]));

  const largest = [...sizes]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, 20)
    .map(([file, bytes]) => `${file}:${bytes}`);
  const printed = texts.filter((file) => (sizes.get(file) ?? 0) <= MAX_PRINTED_BYTES);
  return {
    ...languageFacts(files),
    languages,
    todos: await openItems(folder, texts),
    largest,
    ...(await duplicates(folder, printed)),
  };
}

/** Sizes of those that are regular files; links, submodules and deleted files are left out. Paths are latin1. */
async function sizesOf(folder: string, candidates: readonly string[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const paths = candidates.map((file) => Buffer.from(file, 'latin1').toString('utf8'));
  const text = await overFiles(folder, paths, 'stat', ['--printf', '%F\\t%s\\t%n\\0']);
  for (const record of text.split('\0')) {
    const [kind, size, file] = record.split('\t');
    if (kind?.startsWith('regular') && file !== undefined) sizes.set(toUtf8(file.slice(2)), Number(size));
  }
  return sizes;
}

/** Files with a NUL byte among their first 8000 bytes. Those with one anywhere are few, and looked at one by one. */
async function binaryFiles(folder: string, files: readonly string[]): Promise<Set<string>> {
  const withNul = (await overFiles(folder, files, 'grep', ['-aPlZ', '\\x00'])).split('\0').filter((file) => file !== '');
  const binary = new Set<string>();
  for (const file of withNul) {
    const count = await output(folder, 'sh', ['-c', 'head -c 8000 "$1" | tr -dc "\\000" | wc -c', 'sh', toUtf8(file)]);
    if (Number(count) > 0) binary.add(toUtf8(file.slice(2)));
  }
  return binary;
}

/** Lines with the whole word TODO or FIXME; the first of a line counts. */
async function openItems(folder: string, files: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  for (const record of (await overFiles(folder, files, 'grep', ['-aHZnow', '-E', 'TODO|FIXME'])).split('\n')) {
    const [file, rest] = record.split('\0');
    const [line, kind] = rest?.split(':') ?? [];
    if (file === undefined || line === undefined || kind === undefined) continue;
    const place = `${toUtf8(file.slice(2))}:${line}`;
    if (!found.has(place)) found.set(place, `${place}:${kind}`);
  }
  return [...found.values()].sort();
}

/**
 * Windows of six telling lines as awk sees them. A window's signature is the list of its places; a block begins at every
 * duplicated window whose signature, moved back by one line, is not the signature of another.
 */
const DUPLICATES_AWK = String.raw`
FNR == 1 { file++; n = 0 }
{
  text = $0
  sub(/^[ \t\r\v\f]+/, "", text); sub(/[ \t\r\v\f]+$/, "", text)
  rest = text; gsub(/[\t -\/:-@\[-\140{-~]/, "", rest)
  if (rest == "") next
  n++; telling[n % 6] = text
  if (n < 6) next
  key = ""
  for (i = n - 5; i <= n; i++) key = key telling[i % 6] "\n"
  at = n - 5
  if ((key in lastFile) && lastFile[key] == file && at - lastAt[key] < 6) next
  lastFile[key] = file; lastAt[key] = at
  times[key]++
  places[key] = places[key] file ":" at " "
  before[key] = before[key] file ":" (at - 1) " "
}
END {
  for (key in times) if (times[key] > 1) signatures[places[key]] = 1
  for (key in times) if (times[key] > 1) {
    if (!(before[key] in signatures)) blocks++
    count = split(places[key], list, " ")
    for (p = 1; p <= count; p++) {
      split(list[p], place, ":")
      for (i = 0; i < 6; i++) covered[place[1] ":" (place[2] + i)] = 1
    }
  }
  for (line in covered) lines++
  print blocks + 0, lines + 0
}`;

async function duplicates(
  folder: string,
  files: readonly string[],
): Promise<{ duplicateBlocks: number; duplicateLines: number }> {
  if (files.length === 0) return { duplicateBlocks: 0, duplicateLines: 0 };
  // One awk must see all files. A system's limit for a command line, 2 MB, is enough for tens of thousands of names.
  const text = await output(folder, 'awk', [DUPLICATES_AWK, ...files.map((file) => `./${file}`)]);
  const [blocks, lines] = text.trim().split(' ').map(Number);
  return { duplicateBlocks: blocks ?? Number.NaN, duplicateLines: lines ?? Number.NaN };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function toUtf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
