/** What the survey operations of a worker (inventory, split, analyse, merge, report) hand to each other. */
import * as z from 'zod';

/** One file of an inventory. `path` is relative to the workspace, with forward slashes. */
export const InventoryFile = z.object({
  path: z.string(),
  bytes: z.number().int().min(0),
  /** By the file's name; "Other" when it is not known. */
  language: z.string(),
  /** A NUL byte among the first 8000 bytes: git's rule. */
  isBinary: z.boolean(),
});
/** One file of an inventory. */
export type InventoryFile = z.infer<typeof InventoryFile>;

/** The files of a workspace, sorted by path. */
export const Inventory = z.object({
  /** git: `git ls-files` (tracked, and untracked that are not ignored). walk: every file but .git, node_modules and hidden caches. */
  source: z.enum(['git', 'walk']),
  files: z.array(InventoryFile),
  totalFiles: z.number().int().min(0),
  totalBytes: z.number().int().min(0),
});
/** The files of a workspace. */
export type Inventory = z.infer<typeof Inventory>;

/** A line that names open work. */
export const TodoItem = z.object({
  path: z.string(),
  line: z.number().int().min(1),
  kind: z.enum(['TODO', 'FIXME']),
  text: z.string(),
});
/** A line that names open work. */
export type TodoItem = z.infer<typeof TodoItem>;

/** Facts about one text file. The definitions of each count stand in docs/agents.md and beside the code that counts. */
export const FileFacts = z.object({
  path: z.string(),
  bytes: z.number().int().min(0),
  language: z.string(),
  isBinary: z.boolean(),
  lines: z.number().int().min(0),
  blank: z.number().int().min(0),
  comment: z.number().int().min(0),
  code: z.number().int().min(0),
  /** Hashes of the non-trivial lines, 5 bytes each, base64; from it duplicate blocks are found across shares. Absent when the file takes no part. */
  prints: z.string().optional(),
  /** Which lines have a print: a bitmap, base64; bit n (lowest of a byte first) stands for line n + 1. Present when `prints` is. */
  printed: z.string().optional(),
});
/** Facts about one text file. */
export type FileFacts = z.infer<typeof FileFacts>;

/** What one analyst found in its share. */
export const AnalysisReport = z.object({
  analyst: z.string(),
  files: z.array(FileFacts),
  todos: z.array(TodoItem),
  /** Files that were in the share and could not be read any more. */
  missing: z.array(z.string()),
  durationMs: z.number().min(0),
});
/** What one analyst found in its share. */
export type AnalysisReport = z.infer<typeof AnalysisReport>;

/** Counts over the files of one language. */
export const LanguageTotals = z.object({
  language: z.string(),
  files: z.number().int(),
  bytes: z.number().int(),
  lines: z.number().int(),
  blank: z.number().int(),
  comment: z.number().int(),
  code: z.number().int(),
});
/** Counts over the files of one language. */
export type LanguageTotals = z.infer<typeof LanguageTotals>;

/** One text that occurs more than once. */
export const DuplicateBlock = z.object({
  /** Non-trivial lines in the block, at least 6. */
  lines: z.number().int(),
  /** How often it occurs, at least twice. */
  times: z.number().int(),
  /** Where, by path and line; a survey names the first 20 places. */
  occurrences: z.array(z.object({ path: z.string(), startLine: z.number().int(), endLine: z.number().int() })),
});
/** One text that occurs more than once. */
export type DuplicateBlock = z.infer<typeof DuplicateBlock>;

/** The facts of a whole workspace, however many analysts found them. */
export const Survey = z.object({
  totals: LanguageTotals.omit({ language: true }),
  /** Most lines first, then by name. Binary files count under "Binary", with bytes only. */
  languages: z.array(LanguageTotals),
  /** Lines that name open work. */
  todoCount: z.number().int(),
  /** The first 1000 of them, by path and line. */
  todos: z.array(TodoItem),
  /** The 20 largest, by bytes, then by path. */
  largestFiles: z.array(z.object({ path: z.string(), bytes: z.number().int(), lines: z.number().int(), language: z.string() })),
  duplicates: z.object({
    /** How many blocks there are. */
    blocks: z.number().int(),
    /** Non-trivial lines that are part of some duplicate. */
    lines: z.number().int(),
    /** The 20 that repeat most lines. */
    largest: z.array(DuplicateBlock),
  }),
  missing: z.array(z.string()),
  analysts: z.array(
    z.object({
      analyst: z.string(),
      files: z.number().int(),
      bytes: z.number().int(),
      lines: z.number().int(),
      durationMs: z.number(),
    }),
  ),
});
/** The facts of a whole workspace. */
export type Survey = z.infer<typeof Survey>;
