/** `egress`: where a contained agent may connect to, and what it connected to. */
import type { Command } from 'commander';
import * as z from 'zod';
import type { EgressConnection } from '#shared/egress/model.ts';
import { EgressRule } from '#shared/egress/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { usageError } from '../cli-error.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import type { CoreClient } from '../core-connection.ts';
import type { Cell, Output, Style } from '../output.ts';
import { clockTime } from '../times.ts';

const Options = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  outcome: z.enum(['open', 'closed', 'refused', 'failed']).optional(),
});
type Call = Invocation<z.infer<typeof Options>>;
type Egress = Awaited<ReturnType<CoreClient['egress']['get']>>;

const OUTCOME_STYLES: Readonly<Record<EgressConnection['outcome'], Style>> = {
  open: 'busy',
  closed: 'good',
  refused: 'bad',
  failed: 'warn',
};

function print(out: Output, egress: Egress): void {
  out.line(
    egress.rules.length === 0 ? `${egress.id} may connect nowhere.` : `${egress.id} may connect to these, and nowhere else:`,
  );
  for (const rule of egress.rules) out.line(`  ${rule}`);
  if (egress.mode === 'learn') out.line('What is refused is proposed as rules (mode learn).');
  if (!egress.isServed) out.note('It is not served now: these rules hold from its next start.');
}

/** Rules as they were written; one that is none is wrong usage. */
function rulesOf(texts: readonly string[]): EgressRule[] {
  if (texts.length === 0) throw usageError('Name at least one rule, for example api.github.com:443:tls.');
  for (const text of texts) {
    const rule = EgressRule.safeParse(text);
    if (!rule.success) throw usageError(`"${text}" ${rule.error.issues[0]?.message ?? 'is no rule'}.`);
  }
  return [...texts];
}

async function log(call: Call, client: CoreClient, agentId: AgentId): Promise<void> {
  const { limit, outcome } = call.options;
  const page = await client.egress.connections({ agentId, limit, ...(outcome === undefined ? {} : { outcome }) });
  call.out.result(page, () => {
    call.out.table(
      ['TIME', 'OUTCOME', 'TARGET', 'SENT', 'RECEIVED', 'WHY'],
      page.connections.map((c): Cell[] => [
        clockTime(c.at),
        { text: c.outcome, style: OUTCOME_STYLES[c.outcome] },
        `${c.host}:${c.port}:${c.protocol}`,
        String(c.sentBytes),
        String(c.receivedBytes),
        c.reason,
      ]),
      'No connections are known.',
    );
    if (page.hasMore) call.out.note(`There are older ones: --limit (at most 500) shows more.`);
  });
}

async function egress(call: Call): Promise<void> {
  const [name = '', action, ...texts] = call.args;
  const parsed = AgentId.safeParse(name);
  if (!parsed.success)
    throw usageError(`"${name}" is no id of an agent: it ${parsed.error.issues[0]?.message ?? 'is not valid'}.`);
  const id = parsed.data;
  const isChange = action === 'allow' || action === 'remove';
  const named = isChange ? rulesOf(texts) : [];
  if (!isChange && texts.length > 0) throw usageError(`"${action}" takes nothing after it.`);
  await call.withCore(async (client) => {
    switch (action) {
      case undefined:
        return show(call, await client.egress.get({ id }));
      case 'log':
        return log(call, client, id);
      case 'learn':
      case 'deny':
        return show(call, await client.egress.set({ id, mode: action }));
      case 'allow':
      case 'remove': {
        const { rules } = await client.egress.get({ id });
        const missing = named.find((rule) => !rules.includes(rule));
        if (action === 'remove' && missing !== undefined) throw usageError(`${id} has no rule ${missing}; nothing was changed.`);
        const next = action === 'allow' ? [...new Set([...rules, ...named])] : rules.filter((rule) => !named.includes(rule));
        return show(call, await client.egress.set({ id, rules: next }));
      }
      default:
        throw usageError(`"${action}" is not one of allow, remove, learn, deny and log.`);
    }
  });
}

function show(call: Call, state: Egress): void {
  call.out.result(state, () => print(call.out, state));
}

/** Adds `egress`. */
export function addEgressCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'egress <agent> [action] [rules...]',
    summary: 'Where a contained agent may connect to',
    details:
      'Actions: allow and remove change its rules, at once also while it runs; learn proposes rules for what is refused, deny does not; log lists its connections. Without one, its rules are shown.',
    examples: [
      ['quarterdeck egress ada allow api.github.com:443:tls', 'host, port, and what is spoken: tls, http or tcp'],
      ['quarterdeck egress ada log --outcome refused', 'what it tried and was not allowed'],
    ],
    flags: [
      flag('--limit <number>', 'with log: most connections to list (default: 50)'),
      flag('--outcome <outcome>', 'with log: only those that are open, closed, refused or failed'),
    ],
    options: Options,
    run: egress,
  });
}
