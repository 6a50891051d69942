/**
 * Reading a repository that an agent can write. Its `.git` is hostile: its settings, hooks and attributes could make git run
 * anything, its links could lead anywhere. So no git ever runs *in* it. What the core wants is read as data: the tip of one
 * branch as a text of forty hexadecimal digits, and objects, whose names are their contents.
 */
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#shared/kernel/errors.ts';

/** A reference file holds one line. */
const MAX_REF_BYTES = 4_096;
/** References of a repository that was packed; beyond that it is not one of ours. */
const MAX_PACKED_BYTES = 8 << 20;
const COMMIT = /^[0-9a-f]{40}$/;

/** What of an agent's repository may be read. */
export interface AgentObjects {
  /** Absolute path of its object folder: real folders all the way, without alternates. */
  readonly objects: string;
  /** The tip of the branch; undefined when there is none. */
  readonly tip: string | undefined;
}

/** Looks at the repository in `folder`. CONFLICT, naming what is wrong, when it is not built as a plain repository is. */
export async function readAgentRepository(folder: string, branch: string): Promise<AgentObjects> {
  const gitDir = join(folder, '.git');
  await requireFolder(folder, gitDir);
  const objects = join(gitDir, 'objects');
  await requireFolder(folder, objects);
  for (const name of ['alternates', 'http-alternates'])
    if (await statOf(join(objects, 'info', name))) throw hostile(folder, `objects/info/${name} leads to another repository`);
  await requireRealTree(folder, objects);
  return { objects, tip: (await looseTip(folder, gitDir, branch)) ?? (await packedTip(gitDir, branch)) };
}

async function looseTip(folder: string, gitDir: string, branch: string): Promise<string | undefined> {
  let at = join(gitDir, 'refs');
  await requireFolder(folder, at);
  const parts = ['heads', ...branch.split('/')];
  for (const part of parts.slice(0, -1)) {
    at = join(at, part);
    if (!(await statOf(at))) return undefined;
    await requireFolder(folder, at);
  }
  const text = (await readPlain(join(at, parts.at(-1) ?? ''), MAX_REF_BYTES))?.trim();
  if (text === undefined) return undefined;
  if (!COMMIT.test(text)) throw hostile(folder, `its branch ${branch} does not name a commit`);
  return text;
}

async function packedTip(gitDir: string, branch: string): Promise<string | undefined> {
  const text = await readPlain(join(gitDir, 'packed-refs'), MAX_PACKED_BYTES);
  const line = text?.split('\n').find((one) => one.slice(41) === `refs/heads/${branch}`);
  const commit = line?.slice(0, 40);
  return commit !== undefined && COMMIT.test(commit) ? commit : undefined;
}

/** Object folders are two levels deep; a link among them could make git read any file as a pack. */
async function requireRealTree(folder: string, objects: string): Promise<void> {
  for (const entry of await readdir(objects, { withFileTypes: true })) {
    if (!entry.isDirectory()) throw hostile(folder, `objects/${entry.name} is no folder`);
    for (const inner of await readdir(join(objects, entry.name), { withFileTypes: true })) {
      if (!inner.isFile()) throw hostile(folder, `objects/${entry.name}/${inner.name} is no plain file`);
    }
  }
}

async function requireFolder(folder: string, path: string): Promise<void> {
  const stat = await statOf(path);
  if (!stat?.isDirectory()) throw hostile(folder, `${path.slice(folder.length + 1)} is no folder of it`);
}

async function statOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined);
}

/** A plain file's text; undefined when there is none. No link is followed, and no pipe is waited for. */
async function readPlain(path: string, limit: number): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (!file) return undefined;
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > limit) return undefined;
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function hostile(folder: string, what: string): AppError {
  return new AppError(
    'CONFLICT',
    `The repository in "${folder}" is not taken over: ${what}. Look at it before you trust anything in it; remove_workspace makes a new one at the next start.`,
    { retryable: false, data: { folder } },
  );
}
