/** `tokens` and `whoami`. */
import type { Command } from 'commander';
import * as z from 'zod';
import { MintableRole } from '#shared/auth/model.ts';
import { TokenId } from '#shared/kernel/ids.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, NoOptions } from '../command.ts';
import { usageError } from '../cli-error.ts';
import { Duration } from '../option-schemas.ts';
import type { Cell } from '../output.ts';
import { oneLine } from '../output.ts';
import { clockTime } from '../times.ts';

const CreateOptions = z.object({ role: MintableRole, ttl: Duration.optional() });

async function create(call: Invocation<z.infer<typeof CreateOptions>>): Promise<void> {
  const { role, ttl } = call.options;
  await call.withCore(async (client) => {
    const made = await client.auth.createToken({ name: call.args[0] ?? '', role, ...(ttl === undefined ? {} : { ttlMs: ttl }) });
    call.out.result(made, () => {
      call.out.note(`Token ${made.token.id} (${role}). It is shown this one time:`);
      call.out.line(made.secret);
    });
  });
}

async function list(call: Invocation<unknown>): Promise<void> {
  await call.withCore(async (client) => {
    const { tokens } = await client.auth.listTokens({});
    const now = Date.now();
    const stateOf = (token: (typeof tokens)[number]): Cell => {
      if (token.revokedAt !== null) return { text: `revoked ${clockTime(token.revokedAt)}`, style: 'dim' };
      if (token.expiresAt === null) return { text: 'valid', style: 'good' };
      return token.expiresAt <= now
        ? { text: 'expired', style: 'dim' }
        : { text: `valid until ${clockTime(token.expiresAt)}`, style: 'good' };
    };
    call.out.result({ tokens }, () =>
      call.out.table(
        ['ID', 'NAME', 'ROLE', 'MADE', 'STATE'],
        tokens.map((token) => [
          token.id,
          { text: token.name, style: 'strong' },
          token.role,
          clockTime(token.createdAt),
          stateOf(token),
        ]),
        'There are no tokens.',
      ),
    );
  });
}

function tokenIdOf(text = ''): TokenId {
  const id = TokenId.safeParse(text);
  if (!id.success) throw usageError(`"${text}" is no token id of the form tok_<uuid>. See: quarterdeck tokens`);
  return id.data;
}

async function changeRole(call: Invocation<unknown>): Promise<void> {
  const id = tokenIdOf(call.args[0]);
  const role = MintableRole.safeParse(call.args[1]);
  if (!role.success) throw usageError(`"${call.args[1] ?? ''}" is none of the roles ${MintableRole.options.join(', ')}.`);
  await call.withCore(async (client) => {
    const token = await client.auth.changeTokenRole({ id, role: role.data });
    call.out.result(token, () => call.out.line(`${oneLine(token.name)} (${token.id}) is ${token.role} from its next call on.`));
  });
}

async function revoke(call: Invocation<unknown>): Promise<void> {
  const id = tokenIdOf(call.args[0]);
  await call.withCore(async (client) => {
    const token = await client.auth.revokeToken({ id });
    call.out.result(token, () => call.out.line(`${oneLine(token.name)} (${token.id}) is revoked.`));
  });
}

/** Adds `tokens` and `whoami`. */
export function addAccessCommands(program: Command, host: CommandHost): void {
  const tokens = addCommand(program, host, {
    usage: 'tokens',
    summary: 'List, make and revoke access tokens',
    examples: [
      ['quarterdeck tokens create wall-screen --role observer --ttl 30d', 'a token that may look, for a month'],
      ['quarterdeck tokens revoke tok_…', 'ends a token, and what is connected with it, at once'],
    ],
    options: NoOptions,
    run: list,
  });
  addCommand(tokens, host, {
    usage: 'create <name>',
    summary: 'Make a token and print it, this one time',
    flags: [
      flag('--role <role>', `what it may: ${MintableRole.options.join(', ')}`).makeOptionMandatory(),
      flag('--ttl <duration>', 'how long it is valid, for example 30d (default: until it is revoked)'),
    ],
    options: CreateOptions,
    run: create,
  });
  addCommand(tokens, host, { usage: 'list', summary: 'List tokens, the newest first', options: NoOptions, run: list });
  addCommand(tokens, host, {
    usage: 'role <id> <role>',
    summary: `Give a token another role: ${MintableRole.options.join(', ')}`,
    options: NoOptions,
    run: changeRole,
  });
  addCommand(tokens, host, { usage: 'revoke <id>', summary: 'End a token at once', options: NoOptions, run: revoke });
  addCommand(program, host, {
    usage: 'whoami',
    summary: 'Who the token in use belongs to',
    options: NoOptions,
    run: (call) =>
      call.withCore(async (client) => {
        const me = await client.auth.whoami({});
        call.out.result(me, () =>
          call.out.line(`${me.actor.kind} ${me.actor.id}, role ${me.role}, through the door "${me.door}"`),
        );
      }),
  });
}
