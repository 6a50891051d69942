/**
 * Looks through the operator's own tmux servers for agent CLIs. Only reads: it asks servers that run already what panes they
 * have, and the system what runs in them.
 */
import type { Stats } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import type { AdoptableSession } from '#shared/agents/observation.ts';
import { KNOWN_PROGRAMS } from '#shared/agents/observation.ts';
import type { ProcessInfo, ProcessSnapshot } from '#core/runtimes/process-table.ts';
import { argumentsOf, folderOf, recentSnapshot, startedAtOf } from '#core/runtimes/process-table.ts';
import type { Probe } from '#core/system/probe.ts';
import { ask, locate, problemOf } from '#core/system/probe.ts';

/** How long one server may take, in milliseconds. */
const TIMEOUT_MS = 3_000;
/** Servers that are asked: more than anybody has. */
const MAX_SERVERS = 32;
/** Processes of one pane that are looked at. */
const MAX_PROCESSES = 200;
/** A server with a session of this name belongs to a core, ours or another data folder's; see TmuxServer. */
const CONTROL_SESSION = 'Quarterdeck';
/** With tmux's own names for them, tab-separated; the folder, which may hold anything, is last. */
const PANE_FORMAT = ['session_name', 'window_index', 'pane_id', 'pane_pid', 'pane_current_path']
  .map((name) => `#{${name}}`)
  .join('\t');

const Pane = z.object({
  session: z.string().min(1),
  window: z.coerce.number().int(),
  pane: z.string(),
  pid: z.coerce.number().int().positive(),
  folder: z.string(),
});
type Pane = z.infer<typeof Pane>;

/** An agent CLI in a session of the operator's. */
export type FoundSession = Omit<AdoptableSession, 'isAdopted'>;

/** What was found, and which servers could not be asked. */
export interface TmuxSurvey {
  readonly sessions: FoundSession[];
  readonly problems: { socket: string; problem: string }[];
}

/** Where to look. */
export interface TmuxSurveyOptions {
  /** With PATH, and TMUX_TMPDIR where the operator's servers are elsewhere than in /tmp. */
  readonly env: NodeJS.ProcessEnv;
  /** Socket of our own server: never looked at. */
  readonly ownSocket: string;
}

/** Looks at all servers, side by side. Never rejects. */
export async function surveyTmux(o: TmuxSurveyOptions): Promise<TmuxSurvey> {
  const survey: TmuxSurvey = { sessions: [], problems: [] };
  const probe: Probe = { env: o.env, deadline: performance.now() + TIMEOUT_MS };
  const tmux = await locate('tmux', probe);
  const sockets = tmux === undefined ? [] : await socketsOf(o);
  if (tmux === undefined || sockets.length === 0) return survey;
  const snapshot = await recentSnapshot();
  await Promise.all(
    sockets.map(async (socket) => {
      const panes = await panesOf(tmux, socket, probe);
      if (typeof panes === 'string') survey.problems.push({ socket, problem: panes });
      else for (const pane of panes) survey.sessions.push(...agentIn(pane, socket, snapshot));
    }),
  );
  const order = (one: FoundSession): string =>
    `${one.socket}\0${one.session}\0${String(one.window).padStart(6, '0')}\0${one.pane}`;
  survey.sessions.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  survey.problems.sort((a, b) => (a.socket < b.socket ? -1 : 1));
  return survey;
}

/** Sockets of servers in the folders where tmux makes them (its manual, under -L), with links resolved. */
async function socketsOf(o: TmuxSurveyOptions): Promise<string[]> {
  const uid = process.getuid?.();
  if (uid === undefined) return [];
  const own = await realpath(o.ownSocket).catch(() => o.ownSocket);
  const found = new Set<string>();
  for (const parent of [o.env['TMUX_TMPDIR'], '/tmp']) {
    if (parent === undefined || parent === '') continue;
    const folder = await realpath(join(parent, `tmux-${uid}`)).catch(() => undefined);
    if (folder === undefined || !(await isOwnFolder(folder, uid))) continue;
    for (const name of await readdir(folder).catch(() => [])) {
      const socket = join(folder, name);
      const facts = await lstat(socket).catch(() => undefined);
      if (facts?.isSocket() === true && facts.uid === uid && socket !== own) found.add(socket);
    }
  }
  return [...found].slice(0, MAX_SERVERS);
}

/** As tmux itself demands: a folder that others may write to could hold a socket of somebody else's. */
async function isOwnFolder(folder: string, uid: number): Promise<boolean> {
  const facts: Stats | undefined = await lstat(folder).catch(() => undefined);
  return facts?.isDirectory() === true && facts.uid === uid && (facts.mode & 0o007) === 0;
}

/** The panes of a server, or why it could not be asked. A socket that a server left behind has none. */
async function panesOf(tmux: string, socket: string, probe: Probe): Promise<Pane[] | string> {
  const answer = await ask(tmux, ['-u', '-S', socket, 'list-panes', '-a', '-F', PANE_FORMAT], probe);
  if (answer.kind === 'ended' && answer.code === 0) {
    const panes = answer.stdout.split('\n').flatMap((text) => {
      const [session, window, pane, pid, ...folder] = text.split('\t');
      return Pane.safeParse({ session, window, pane, pid, folder: folder.join('\t') }).data ?? [];
    });
    return panes.some((pane) => pane.session === CONTROL_SESSION) ? [] : panes;
  }
  const problem = problemOf(answer);
  return /no server running|error connecting|no sessions|lost server/i.test(problem) ? [] : problem;
}

/** The agent CLI that runs in a pane: the one nearest to its first process. */
function agentIn(pane: Pane, socket: string, snapshot: ProcessSnapshot): FoundSession[] {
  const queue: ProcessInfo[] = [];
  const root = snapshot.byPid.get(pane.pid);
  if (root) queue.push(root);
  for (let at = 0; at < queue.length && at < MAX_PROCESSES; at += 1) {
    const info = queue[at];
    if (info === undefined) break;
    const program = programIn(argumentsOf(info.pid));
    if (program !== undefined) {
      return [
        {
          socket,
          session: pane.session,
          window: pane.window,
          pane: pane.pane,
          program,
          pid: info.pid,
          cwd: folderOf(info.pid) ?? (pane.folder === '' ? null : pane.folder),
          startedAt: startedAtOf(info) ?? null,
        },
      ];
    }
    queue.push(...(snapshot.byParent.get(info.pid) ?? []));
  }
  return [];
}

/** Programs that run others, whose name is then the first word that is no option. */
const INTERPRETER = /^(node|nodejs|bun|deno|python[\d.]*|sh|bash|dash|zsh|env)$/;

/** The known agent CLI that a command line starts, by its own name or through an interpreter; undefined when it is none. */
export function programIn(words: readonly string[]): FoundSession['program'] | undefined {
  const [first = '', ...rest] = words;
  const name = nameOf(first);
  if (!INTERPRETER.test(name)) return known(name);
  const module = rest.indexOf('-m');
  // Only python runs a module by -m; of another's options no script follows that could be mistaken.
  if (name.startsWith('python') && module >= 0) return known(nameOf(rest[module + 1] ?? ''));
  return known(nameOf(rest.find((word) => !word.startsWith('-')) ?? ''));
}

/** Without folders, the dash of a login shell, and the ending of a script. */
function nameOf(word: string): string {
  return basename(word.replace(/^-/, '')).replace(/\.(js|mjs|cjs|py)$/, '');
}

function known(name: string): FoundSession['program'] | undefined {
  return KNOWN_PROGRAMS.find((one) => one === name);
}
