/** `journal`: the audit trail. */
import type { Command } from 'commander';
import * as z from 'zod';
import { EventKind } from '#shared/journal/model.ts';
import type { JournalRow } from '#shared/journal/model.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, NoOptions } from '../command.ts';
import { ExitCode } from '../cli-error.ts';
import { followEvents } from '../follow.ts';
import { wholeNumber } from '../option-schemas.ts';
import type { Cell } from '../output.ts';
import { oneLine, shorten } from '../output.ts';
import { clockTime } from '../times.ts';
import { projectChoice } from './project-choice.ts';

/** Of an event's data this much is shown; --json has all of it. */
const MAX_DATA_CHARS = 160;
const MAX_SEQ = Number.MAX_SAFE_INTEGER;

const ListOptions = z.object({
  after: wholeNumber(0, MAX_SEQ).optional(),
  before: wholeNumber(1, MAX_SEQ).optional(),
  kind: EventKind.optional(),
  subject: z.string().optional(),
  project: z.string().optional(),
  limit: wholeNumber(1, 500).default(50),
});

const HEADINGS = ['SEQ', 'WHEN', 'WHO', 'DOOR', 'WHAT', 'SUBJECT', 'DATA'];

type Row = Pick<JournalRow, 'seq' | 'at' | 'actor' | 'door' | 'kind' | 'subject'> & { data: unknown };

function cellsOf(row: Row): Cell[] {
  const data = row.data === null ? '(erased)' : JSON.stringify(row.data);
  return [
    String(row.seq),
    clockTime(row.at),
    row.actor.id,
    row.door,
    { text: row.kind, style: 'strong' },
    row.subject,
    { text: data === '{}' ? '' : shorten(data, MAX_DATA_CHARS), style: 'dim' },
  ];
}

async function list(call: Invocation<z.infer<typeof ListOptions>>): Promise<void> {
  const { project, ...filter } = call.options;
  await call.withCore(async (client) => {
    const stated = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as typeof filter;
    // Without a number the end of the journal is meant: what a person wants to see.
    const from = filter.after === undefined && filter.before === undefined ? { before: MAX_SEQ } : {};
    const page = await client.journal.list({
      ...stated,
      ...from,
      ...(project === undefined ? {} : { projectId: await projectChoice(client, project, call.io.cwd) }),
    });
    call.out.result(page, () => {
      const rows = filter.after === undefined ? page.rows.toReversed() : page.rows;
      call.out.table(HEADINGS, rows.map(cellsOf), 'Nothing is recorded here.');
      const last = rows.at(-1);
      const first = rows[0];
      if (page.hasMore && last && first)
        call.out.note(filter.after === undefined ? `There is more: --before ${first.seq}` : `There is more: --after ${last.seq}`);
    });
  });
}

async function verify(call: Invocation<unknown>): Promise<number> {
  return call.withCore(async (client) => {
    const journal = await client.journal.verify({});
    const messages = await client.provenance.verifyAll({});
    const isIntact = journal.isIntact && messages.isIntact;
    call.out.result({ ...journal, isIntact, messages }, () => {
      const line = (isGood: boolean, good: string, bad: string): void =>
        call.out.line(isGood ? call.out.style(good, 'good') : call.out.style(bad, 'bad'));
      line(
        journal.isIntact,
        `The journal is intact: ${journal.rows} rows, up to number ${journal.headSeq ?? 0}.`,
        'The journal is NOT intact:',
      );
      for (const fault of journal.faults)
        call.out.line(`  ${fault.kind}${fault.seq === null ? '' : ` at ${fault.seq}`}: ${oneLine(fault.detail)}`);
      line(
        messages.isIntact,
        `The messages are intact: ${messages.messages}, signed in ${messages.batches} commits${messages.imported === 0 ? '' : `, ${messages.imported} of them imported and unsigned`}${messages.removed === 0 ? '' : `; ${messages.removed} more were deleted by retention`}.`,
        'The messages are NOT intact:',
      );
      for (const fault of messages.faults) call.out.line(`  ${fault.kind}: ${oneLine(fault.detail)}`);
    });
    return isIntact ? ExitCode.ok : ExitCode.failed;
  });
}

async function follow(call: Invocation<{ after?: number | undefined }>): Promise<void> {
  const after = call.options.after ?? (await call.withCore((client) => client.journal.snapshot({}))).seq;
  const onAway = (): void => call.out.note('Quarterdeck went away; waiting for it …');
  for await (const event of followEvents({ connect: () => call.connect(), after, onAway })) {
    if (call.out.isJson) call.out.jsonLine(event);
    else
      call.out.line(
        cellsOf(event)
          .map((cell) => (typeof cell === 'string' ? oneLine(cell) : call.out.style(oneLine(cell.text), cell.style)))
          .join('  '),
      );
  }
}

/** Adds `journal`. */
export function addJournalCommands(program: Command, host: CommandHost): void {
  const flags = [
    flag('--after <seq>', 'what came after this number, the oldest first'),
    flag('--before <seq>', 'what came before this number'),
    flag('--kind <kind>', 'only this kind of event, for example agent.state-changed'),
    flag('--subject <id>', 'only about this agent, message, …'),
    flag('--project <folder or id>', 'only of this project'),
    flag('--limit <number>', 'at most this many (default 50)'),
  ];
  const journal = addCommand(program, host, {
    usage: 'journal',
    summary: 'The record of what happened: who did what, when, through which door',
    examples: [
      ['quarterdeck journal --subject w1', 'what happened to one agent'],
      [
        'quarterdeck journal verify',
        'recomputes the hash chain, and checks all messages; 1 when something was changed, removed or cut',
      ],
      ['quarterdeck journal follow --json', 'one line of JSON for each event, until Ctrl-C'],
    ],
    flags,
    options: ListOptions,
    run: list,
  });
  addCommand(journal, host, { usage: 'list', summary: 'List what happened', flags, options: ListOptions, run: list });
  addCommand(journal, host, {
    usage: 'verify',
    summary: 'Verify that of the record and of all messages nothing was changed, moved or removed',
    options: NoOptions,
    run: verify,
  });
  addCommand(journal, host, {
    usage: 'follow',
    summary: 'Print what happens as it happens, until Ctrl-C',
    flags: [flag('--after <seq>', 'begin after this number (default: now)')],
    options: z.object({ after: wholeNumber(0, MAX_SEQ).optional() }),
    run: follow,
  });
}
