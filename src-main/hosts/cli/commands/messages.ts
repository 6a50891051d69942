/** `inbox` and `messages`. */
import type { Command } from 'commander';
import * as z from 'zod';
import { MessageId, SessionId } from '#shared/kernel/ids.ts';
import type { Delivery, InboxMessage } from '#shared/messages/model.ts';
import { deliveryStepOf, MessageKind, OPERATOR } from '#shared/messages/model.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { usageError } from '../cli-error.ts';
import type { CoreClient } from '../core-connection.ts';
import { followEvents } from '../follow.ts';
import { wholeNumber } from '../option-schemas.ts';
import type { Output } from '../output.ts';
import { printMessage } from '../replies.ts';
import { agentId } from './agents.ts';
import { projectChoice } from './project-choice.ts';
import { addMessageFileCommands } from './sessions.ts';

const InboxOptions = z.object({
  all: z.boolean().default(false),
  agent: z.string().optional(),
  limit: wholeNumber(1, 200).default(50),
  markRead: z.boolean().default(false),
  follow: z.boolean().default(false),
});

function printInbox(out: Output, messages: readonly InboxMessage[]): void {
  for (const message of messages)
    printMessage(out, message, message.state === 'read' ? { extent: 'brief', note: 'read' } : { extent: 'brief' });
}

async function acknowledge(client: CoreClient, messages: readonly InboxMessage[]): Promise<void> {
  const messageIds = messages.filter(({ state }) => state !== 'read').map(({ id }) => id);
  if (messageIds.length > 0) await client.messages.markRead({ messageIds });
}

async function inbox(call: Invocation<z.infer<typeof InboxOptions>>): Promise<void> {
  const { options: o, out } = call;
  if (o.agent !== undefined && o.markRead)
    throw usageError('--mark-read: only the agent itself acknowledges what is in its inbox.');
  const agent = o.agent === undefined ? undefined : agentId(o.agent);
  const after = await call.withCore(async (client) => {
    // Before the page is read: what comes in between is then seen twice rather than never.
    const { seq } = o.follow ? await client.journal.snapshot({}) : { seq: 0 };
    const page = await client.messages.inbox({
      unreadOnly: !o.all,
      limit: o.limit,
      ...(agent === undefined ? {} : { agentId: agent }),
    });
    if (o.follow && out.isJson) for (const message of page.messages) out.jsonLine(message);
    else if (out.isJson) out.json(page);
    else printInbox(out, page.messages);
    if (!out.isJson && page.messages.length === 0) out.note(o.all ? 'The inbox is empty.' : 'Nothing unread.');
    if (!out.isJson && page.unread > page.messages.length) out.note(`${page.unread} unread in all; --limit shows more.`);
    if (o.markRead) await acknowledge(client, page.messages);
    return { seq, shown: new Set(page.messages.map(({ id }) => id)) };
  });
  if (!o.follow) return;
  const recipient = agent ?? OPERATOR;
  const away = (): void => out.note('Quarterdeck went away; waiting for it …');
  for await (const event of followEvents({ connect: () => call.connect(), after: after.seq, onAway: away })) {
    if (event.kind !== 'message.sent') continue;
    const { message } = event.data;
    if (!message.recipients.includes(recipient) || after.shown.has(message.id)) continue;
    const arrived = { ...message, state: 'queued', attempts: 0, leasedUntil: null } as const;
    if (out.isJson) out.jsonLine(arrived);
    else printMessage(out, message, { extent: 'brief' });
    if (o.markRead) await call.withCore((client) => acknowledge(client, [arrived]));
  }
}

const HistoryOptions = z.object({
  with: z.string().optional(),
  kind: MessageKind.optional(),
  thread: MessageId.optional(),
  before: MessageId.optional(),
  session: SessionId.optional(),
  project: z.string().optional(),
  limit: wholeNumber(1, 500).default(50),
});

async function history(call: Invocation<z.infer<typeof HistoryOptions>>): Promise<void> {
  const { options: o, out } = call;
  await call.withCore(async (client) => {
    const page = await client.messages.list({
      limit: o.limit,
      ...(o.with === undefined ? {} : { participant: o.with }),
      ...(o.kind === undefined ? {} : { kind: o.kind }),
      ...(o.thread === undefined ? {} : { threadId: o.thread }),
      ...(o.before === undefined ? {} : { before: o.before }),
      ...(o.session === undefined ? {} : { sessionId: o.session }),
      ...(o.project === undefined ? {} : { projectId: await projectChoice(client, o.project, call.io.cwd) }),
    });
    out.result(page, () => {
      // The newest last, as in a log.
      for (const message of page.messages.toReversed()) printMessage(out, message, { extent: 'brief' });
      if (page.messages.length === 0) out.note('No messages.');
      if (page.older !== null) out.note(`There are earlier ones: --before ${page.older}`);
    });
  });
}

/** Where a copy stands at a time (ms since the epoch): its state, how often it was handed out, and until when or why it stands there. */
function standOf(copy: Delivery, now: number): [string, string, string] {
  const step = deliveryStepOf(copy, now);
  const until = (at: number): string => new Date(at).toISOString();
  const note =
    step === 'leased' && copy.leasedUntil !== null
      ? `until ${until(copy.leasedUntil)}`
      : step === 'queued' && copy.availableAt > now
        ? `handed out from ${until(copy.availableAt)} on`
        : step === 'dead'
          ? (copy.deadReason ?? '')
          : '';
  return [step, String(copy.attempts), note];
}

/** Adds `inbox` and `messages`. */
export function addMessageCommands(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'inbox',
    summary: 'Read your inbox: most urgent first, then oldest first',
    details: 'Looking does not acknowledge; --mark-read does. With --follow and --json every message is one line of JSON.',
    examples: [
      ['quarterdeck inbox --mark-read', 'shows what is unread and acknowledges it'],
      ['quarterdeck inbox --follow', 'shows what is unread, then what comes'],
      ['quarterdeck inbox --agent w1 --all', "looks into an agent's inbox"],
    ],
    flags: [
      flag('--all', 'also what was read'),
      flag('--agent <id>', "look into this agent's inbox; nothing changes there"),
      flag('--limit <number>', 'at most this many (default 50)'),
      flag('--mark-read', 'acknowledge what is shown'),
      flag('--follow', 'go on with what comes, until Ctrl-C'),
    ],
    options: InboxOptions,
    run: inbox,
  });
  const messages = addCommand(program, host, {
    usage: 'messages',
    summary: 'The history of messages, the newest last',
    examples: [
      ['quarterdeck messages --with w1', 'everything from and to one agent'],
      ['quarterdeck messages --thread msg_…', 'one conversation'],
    ],
    flags: [
      flag('--with <who>', 'only from or to this agent, or "operator"'),
      flag('--kind <kind>', `only ${MessageKind.options.join(', ')}`),
      flag('--thread <id>', 'only this conversation'),
      flag('--session <id>', 'only of this session; `quarterdeck sessions` lists them'),
      flag('--project <folder or id>', 'only of this project'),
      flag('--before <id>', 'what came before this message'),
      flag('--limit <number>', 'at most this many (default 50)'),
    ],
    options: HistoryOptions,
    run: history,
  });
  addCommand(messages, host, {
    usage: 'show <id>',
    summary: 'One message, and where its copies stand',
    options: z.object({}),
    run: (call) =>
      call.withCore(async (client) => {
        const id = MessageId.safeParse(call.args[0]);
        if (!id.success) throw usageError(`"${call.args[0] ?? ''}" is no message id of the form msg_<uuid>.`);
        const found = await client.messages.get({ id: id.data });
        call.out.result(found, () => {
          printMessage(call.out, found.message, { extent: 'whole' });
          call.out.line();
          call.out.table(
            ['RECIPIENT', 'STATE', 'TRIES', ''],
            found.deliveries.map((copy) => [copy.recipient, ...standOf(copy, Date.now())]),
            'It reached nobody.',
          );
        });
      }),
  });
  addMessageFileCommands(messages, host);
}
