/** `send`: a message to an agent, to several, or to everybody; with --wait also the answer. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { messageOf } from '#shared/kernel/errors.ts';
import { MessageId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import type { Message } from '#shared/messages/model.ts';
import { Address, MessageKind, Priority } from '#shared/messages/model.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { usageError } from '../cli-error.ts';
import { readAll } from '../io.ts';
import type { CliIo } from '../io.ts';
import { DEFAULT_WAIT_MS, Duration } from '../option-schemas.ts';
import { exitCodeOf, printMessage, waitForReplies } from '../replies.ts';
import { projectChoice } from './project-choice.ts';

const SendOptions = z.object({
  kind: MessageKind.optional(),
  priority: Priority.optional(),
  subject: z.string().optional(),
  data: z.string().optional(),
  replyTo: MessageId.optional(),
  key: z.string().optional(),
  ttl: Duration.optional(),
  delay: Duration.optional(),
  replyWithin: Duration.optional(),
  project: z.string().optional(),
  wait: z.boolean().default(false),
  timeout: Duration.default(DEFAULT_WAIT_MS),
});

/** JSON from the command line: the text itself, `@file`, or `-` for standard input. */
export async function readJsonArgument(name: string, text: string, io: CliIo): Promise<Json> {
  let source = text;
  try {
    if (text === '-') source = await readAll(io.stdin);
    else if (text.startsWith('@')) source = await readFile(resolve(io.cwd, text.slice(1)), 'utf8');
  } catch (error) {
    throw usageError(`${name}: cannot read ${text.slice(1)}: ${messageOf(error)}`);
  }
  try {
    return Json.parse(JSON.parse(source));
  } catch (error) {
    throw usageError(`${name}: this is not JSON: ${messageOf(error)}`);
  }
}

function addresses(text: string): Address[] {
  return text.split(',').map((part) => {
    const address = Address.safeParse(part.trim());
    if (!address.success)
      throw usageError(
        `"${part}" is no address: name an agent, "operator", "*" for everybody in the project, topic:<name>, capability:<name> or template:<name>.`,
      );
    return address.data;
  });
}

async function send(call: Invocation<z.infer<typeof SendOptions>>): Promise<number> {
  const { options: o, out, io } = call;
  const to = addresses(call.args[0] ?? '');
  const text = call.args[1] ?? '';
  if (text === '-' && o.data === '-') throw usageError('Standard input can be the text or the data, not both.');
  const data = o.data === undefined ? undefined : await readJsonArgument('--data', o.data, io);
  const body = text === '-' ? await readAll(io.stdin) : text;
  const kind = o.kind ?? (o.wait ? 'request' : 'note');
  if (o.wait && kind !== 'task' && kind !== 'request')
    throw usageError(`--wait: a ${kind} is not answered; use --kind task or request.`);
  return call.withCore(async (client) => {
    const before = o.wait ? (await client.journal.snapshot({})).seq : 0;
    const sent = await client.messages.send({
      to: to.length === 1 && to[0] !== undefined ? to[0] : to,
      body,
      kind,
      ...(o.priority === undefined ? {} : { priority: o.priority }),
      ...(o.subject === undefined ? {} : { subject: o.subject }),
      ...(data === undefined ? {} : { data }),
      ...(o.replyTo === undefined ? {} : { inReplyTo: o.replyTo }),
      ...(o.key === undefined ? {} : { idempotencyKey: o.key }),
      ...(o.ttl === undefined ? {} : { ttlMs: o.ttl }),
      ...(o.delay === undefined ? {} : { delayMs: o.delay }),
      ...(o.replyWithin === undefined ? {} : { replyWithinMs: o.replyWithin }),
      ...(o.project === undefined ? {} : { projectId: await projectChoice(client, o.project, io.cwd) }),
    });
    if (sent.refused.length > 0) out.note(`Not sent to ${sent.refused.join(', ')}: the inbox is full. Try again later.`);
    if (!o.wait) {
      out.result(sent, () =>
        out.line(
          `${sent.isDuplicate ? 'Was sent before' : 'Sent'} to ${sent.recipients.join(', ') || 'nobody'}: ${sent.messageId}`,
        ),
      );
      return 0;
    }
    out.note(`Sent to ${sent.recipients.join(', ')}: ${sent.messageId}; waiting for the answer …`);
    const replies: Message[] = [];
    const waitOptions = {
      connect: () => call.connect(),
      after: before,
      timeoutMs: o.timeout,
      onReply: (reply: Message) => void replies.push(reply),
    };
    await waitForReplies(
      [sent],
      out.isJson
        ? waitOptions
        : { ...waitOptions, onReply: (reply) => (replies.push(reply), printMessage(out, reply, { extent: 'text' })) },
    );
    if (out.isJson) out.json({ ...sent, replies });
    return exitCodeOf(replies);
  });
}

/** Adds `send`. */
export function addSendCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'send <to> <text>',
    summary: 'Send a message to an agent, to several, to a topic, or to everybody ("*")',
    details:
      'Several addresses are separated by commas: agents, "operator", "*", topic:<name> for its subscribers, capability:<name> and template:<name> for groups. "-" as the text reads it from standard input. With --wait the command ends when the answer is there: 0, or 1 when the answer says that the work failed.',
    examples: [
      ['quarterdeck send w1 "Good morning"', 'a note'],
      [
        `quarterdeck send w1 "run the tests" --kind task --data '{"op":"run","command":"npm test"}' --wait`,
        'work for a worker, and its answer',
      ],
      ['quarterdeck send "*" "Stop what you are doing" --priority critical', 'everybody in the project'],
      ['quarterdeck send topic:health.db "slow again" --kind event', 'whoever subscribed to it'],
    ],
    flags: [
      flag('--kind <kind>', `${MessageKind.options.join(', ')} (default: note; with --wait: request)`),
      flag('--priority <priority>', `${Priority.options.join(', ')} (default: normal)`),
      flag('--subject <text>', 'a subject'),
      flag('--data <json>', 'structured data: JSON, @file, or - for standard input'),
      flag('--reply-to <id>', 'the message that this one answers'),
      flag('--key <key>', 'any text of yours: repeated with the same key, the message is sent once'),
      flag('--ttl <duration>', 'when it expires for those who have not acknowledged it (default: never)'),
      flag('--delay <duration>', 'when it is handed out at the earliest (default: at once)'),
      flag('--reply-within <duration>', 'with a task or request: you are told when no reply has come by then'),
      flag('--project <folder or id>', 'for "*", topics and groups: in this project (default: the one opened last)'),
      flag('--wait', 'wait for the answer and print it'),
      flag('--timeout <duration>', 'how long to wait (default 10m)'),
    ],
    options: SendOptions,
    run: send,
  });
}
