/** `sessions`, `messages export`, `messages import`, `retention`. */
import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { SessionId } from '#shared/kernel/ids.ts';
import { MessageKind } from '#shared/messages/model.ts';
import type { RetentionReport } from '#shared/retention/model.ts';
import { KEPT_BECAUSE } from '#shared/retention/model.ts';
import { DEFAULT_MIRROR_PLACE } from '#shared/sessions/model.ts';
import { usageError } from '../cli-error.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, NoOptions } from '../command.ts';
import type { CoreClient } from '../core-connection.ts';
import { wholeNumber } from '../option-schemas.ts';
import type { Output } from '../output.ts';
import { projectChoice } from './project-choice.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

function time(at: number | null): string {
  return at === null ? '' : new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

/** An id, or what the command prints as one. */
function sessionId(text: string | undefined): SessionId {
  const id = SessionId.safeParse(text);
  if (id.success) return id.data;
  throw usageError(`"${text ?? ''}" is no session id of the form ses_<uuid>; \`quarterdeck sessions\` lists them.`);
}

async function list(call: Invocation<{ limit: number }>): Promise<void> {
  await call.withCore(async (client) => {
    const { sessions } = await client.sessions.list({ limit: call.options.limit });
    call.out.result({ sessions }, () =>
      call.out.table(
        ['SESSION', 'FROM', 'TO', 'MESSAGES', 'ORIGIN', 'WHO'],
        sessions.map((session) => [
          session.id,
          time(session.startedAt),
          session.isCurrent ? { text: 'now', style: 'good' } : time(session.endedAt),
          String(session.messages),
          session.importedFrom ?? '',
          session.participants.join(', '),
        ]),
        'There are no sessions.',
      ),
    );
  });
}

async function show(call: Invocation<object>): Promise<void> {
  const id = sessionId(call.args[0]);
  await call.withCore(async (client) => {
    const session = await client.sessions.get({ id });
    call.out.result(session, () => {
      call.out.line(session.id);
      call.out.line(`from ${time(session.startedAt)} to ${session.isCurrent ? 'now' : time(session.endedAt)} (UTC)`);
      call.out.line(`${session.messages} messages; ${session.participants.join(', ')}`);
      if (session.importedFrom !== null)
        call.out.line(`imported from ${session.importedFrom}: read-only, not signed by this core`);
      for (const mirror of session.mirrors)
        call.out.line(`mirror: ${mirror.folder} (${mirror.bytes} bytes in ${mirror.files} files)`);
    });
  });
}

const PlaceOptions = z.object({ project: z.string().optional(), dataFolder: z.boolean().default(false) });

async function mirror(call: Invocation<z.infer<typeof PlaceOptions>>): Promise<void> {
  const { options: o, out } = call;
  const [place] = call.args;
  if (place !== undefined && o.dataFolder) throw usageError('Either name a place, or say --data-folder.');
  await call.withCore(async (client) => {
    if (place !== undefined || o.dataFolder) {
      const projectId = await projectOf(client, o.project, call);
      await client.sessions.placeMirror({ projectId, place: place ?? null });
    }
    const { mirrors } = await client.sessions.mirrors({});
    out.result({ mirrors }, () =>
      out.table(
        ['MIRROR OF', 'PLACE', 'BEHIND', 'PROBLEM'],
        mirrors.map((one) => [
          one.projectId ?? 'everything else',
          one.place ?? 'data folder',
          String(one.behind),
          one.problem ?? '',
        ]),
        'Nothing is mirrored.',
      ),
    );
  });
}

async function projectOf(client: CoreClient, stated: string | undefined, call: Invocation<unknown>) {
  return projectChoice(client, stated ?? call.io.cwd, call.io.cwd);
}

const ExportOptions = z.object({
  format: z.enum(['jsonl', 'csv']).optional(),
  project: z.string().optional(),
  session: z.string().optional(),
  with: z.string().optional(),
  kind: MessageKind.optional(),
  thread: z.string().optional(),
  force: z.boolean().default(false),
});

async function exportMessages(call: Invocation<z.infer<typeof ExportOptions>>): Promise<void> {
  const { options: o, out } = call;
  const path = resolve(call.io.cwd, call.args[0] ?? '');
  const format = o.format ?? (path.endsWith('.csv') ? 'csv' : 'jsonl');
  const session = o.session === undefined ? undefined : sessionId(o.session);
  const exclusive = o.force ? constants.O_TRUNC : constants.O_EXCL;
  await call.withCore(async (client) => {
    const projectId = o.project === undefined ? undefined : await projectChoice(client, o.project, call.io.cwd);
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | exclusive, 0o600).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
        throw usageError(`${path} is there already; --force replaces it.`);
      throw error;
    });
    let messages = 0;
    try {
      // A file that was there keeps its mode when it is opened.
      await file.chmod(0o600);
      let after: string | undefined;
      do {
        const piece = await client.sessions.exportPage({
          format,
          ...(projectId === undefined ? {} : { projectId }),
          ...(session === undefined ? {} : { sessionId: session }),
          ...(o.with === undefined ? {} : { participant: o.with }),
          ...(o.kind === undefined ? {} : { kind: o.kind }),
          ...(o.thread === undefined ? {} : { threadId: o.thread }),
          ...(after === undefined ? {} : { after }),
        });
        await file.writeFile(piece.text);
        messages += piece.messages;
        after = piece.next ?? undefined;
      } while (after !== undefined);
      await file.sync();
    } catch (error) {
      // Half an export looks like a whole one.
      await unlink(path).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    out.result({ file: path, format, messages }, () => out.line(`${messages} messages are in ${path}.`));
  });
}

async function importMessages(call: Invocation<{ project?: string | undefined }>): Promise<void> {
  const { options: o, out } = call;
  const path = resolve(call.io.cwd, call.args[0] ?? '');
  await call.withCore(async (client) => {
    const projectId = o.project === undefined ? undefined : await projectChoice(client, o.project, call.io.cwd);
    const report = await client.sessions.import({ path, ...(projectId === undefined ? {} : { projectId }) });
    out.result(report, () => {
      out.line(`${report.added} messages were added, ${report.present} were here already (${report.format}).`);
      for (const id of report.sessionIds) out.line(`session ${id}`);
      for (const where of report.torn) out.note(`${where} was cut off, as by a crash, and passed over.`);
    });
  });
}

const RetentionOptions = z.object({
  project: z.string().optional(),
  days: wholeNumber(1, 36_500).optional(),
  messages: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  bytes: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  off: z.boolean().default(false),
  manual: z.boolean().default(false),
  removeMirrors: z.boolean().default(false),
  save: z.boolean().default(false),
  apply: z.boolean().default(false),
});

function printReport(out: Output, report: RetentionReport, verb: string): void {
  const when = report.newestAt === null ? '' : `, sent from ${time(report.oldestAt)} to ${time(report.newestAt)} (UTC)`;
  out.line(
    `${report.messages} messages ${verb} (${report.bytes} bytes) of ${report.sessions} sessions, ${report.wholeSessions} of them whole${when}.`,
  );
  for (const reason of KEPT_BECAUSE) if (report.kept[reason] > 0) out.line(`${report.kept[reason]} stay: ${reason}`);
}

async function retention(call: Invocation<z.infer<typeof RetentionOptions>>): Promise<void> {
  const { options: o, out } = call;
  const isStated = o.days !== undefined || o.messages !== undefined || o.bytes !== undefined || o.off;
  if (o.save && !isStated) throw usageError('--save: state what is to be kept with --days, --messages or --bytes, or --off.');
  if (o.apply && isStated && !o.save)
    throw usageError('--apply removes what the saved policy does not keep: add --save to save this one first.');
  await call.withCore(async (client) => {
    const projectId = await projectOf(client, o.project, call);
    const saved = await client.retention.get({ projectId });
    const policy = isStated
      ? {
          maxAgeMs: o.days === undefined ? null : o.days * DAY_MS,
          maxMessages: o.messages ?? null,
          maxBytes: o.bytes ?? null,
          isAutomatic: !o.manual,
          removesMirrors: o.removeMirrors,
        }
      : saved.policy;
    if (o.save) await client.retention.set({ projectId, policy });
    const report = o.apply ? await client.retention.apply({ projectId }) : await client.retention.preview({ projectId, policy });
    out.result({ policy, isSaved: o.save || !isStated, isApplied: o.apply, report }, () =>
      printReport(out, report, o.apply ? 'were removed' : 'would go'),
    );
  });
}

/** Adds `export` and `import` to `messages`. */
export function addMessageFileCommands(messages: Command, host: CommandHost): void {
  addCommand(messages, host, {
    usage: 'export <file>',
    summary: 'Write messages to a file that only you can read',
    examples: [
      ['quarterdeck messages export mail.csv', 'everything, for a spreadsheet'],
      ['quarterdeck messages export mail.jsonl --session ses_…', 'one session, for `messages import`'],
    ],
    flags: [
      flag('--format <format>', 'jsonl or csv (default: by the name of the file, else jsonl)'),
      flag('--project <folder or id>', 'only of this project'),
      flag('--session <id>', 'only of this session'),
      flag('--with <who>', 'only from or to this agent, or "operator"'),
      flag('--kind <kind>', `only ${MessageKind.options.join(', ')}`),
      flag('--thread <id>', 'only this conversation'),
      flag('--force', 'replace the file when it is there'),
    ],
    options: ExportOptions,
    run: exportMessages,
  });
  addCommand(messages, host, {
    usage: 'import <path>',
    summary: "Read messages of an earlier session from a mirror's folder, an exported .jsonl file or a session of crowd-mcp",
    details: 'They become a session that nobody can write to. Importing twice adds nothing.',
    examples: [
      ['quarterdeck messages import ~/.local/share/quarterdeck/sessions/2026-01-31T09-00-00-000Z', 'a mirror'],
      ['quarterdeck messages import .crowd/sessions/1730000000000 --project .', 'a session of crowd-mcp'],
    ],
    flags: [flag('--project <folder or id>', 'where messages go whose project is not known here')],
    options: z.object({ project: z.string().optional() }),
    run: importMessages,
  });
}

/** Adds `sessions` and `retention`. */
export function addSessionCommands(program: Command, host: CommandHost): void {
  const sessions = addCommand(program, host, {
    usage: 'sessions',
    summary: 'Runs of the crew and imported ones, the newest first',
    flags: [flag('--limit <number>', 'at most this many (default 50)')],
    options: z.object({ limit: wholeNumber(1, 500).default(50) }),
    run: list,
  });
  addCommand(sessions, host, {
    usage: 'show <id>',
    summary: 'One session, and where its mirror is',
    options: NoOptions,
    run: show,
  });
  addCommand(sessions, host, {
    usage: 'mirror [place]',
    summary: 'How the mirrors of messages are doing; with a place, where that of a project is from now on',
    examples: [
      ['quarterdeck sessions mirror', 'what is behind, and why'],
      [`quarterdeck sessions mirror '${DEFAULT_MIRROR_PLACE}'`, 'keeps the mirror of this project in the project'],
      ['quarterdeck sessions mirror --data-folder', 'puts it back'],
    ],
    flags: [
      flag('--project <folder or id>', 'the project (default: the one of this folder)'),
      flag('--data-folder', 'put the mirror of the project back into the data folder'),
    ],
    options: PlaceOptions,
    run: mirror,
  });
  addCommand(program, host, {
    usage: 'retention',
    summary: 'How long messages of a project are kept: for ever, unless you say otherwise',
    details: 'Without --apply nothing is removed: what would go is shown.',
    examples: [
      ['quarterdeck retention --days 90', 'shows what would go if messages were kept for 90 days'],
      ['quarterdeck retention --days 90 --save --apply', 'keeps it so from now on, and removes what is older at once'],
      ['quarterdeck retention --off --save', 'keeps everything again'],
    ],
    flags: [
      flag('--project <folder or id>', 'the project (default: the one of this folder)'),
      flag('--days <number>', 'keep what was sent in so many days'),
      flag('--messages <number>', 'keep so many of the newest'),
      flag('--bytes <number>', 'keep the newest that take so many bytes together'),
      flag('--off', 'keep everything'),
      flag('--manual', 'do not apply it by itself once a day'),
      flag('--remove-mirrors', 'remove mirror files of sessions of which no message is left'),
      flag('--save', 'keep this policy'),
      flag('--apply', 'remove what the saved policy does not keep'),
    ],
    options: RetentionOptions,
    run: retention,
  });
}
