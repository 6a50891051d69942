/** For browser specs: what really became of a sample crew, by its files and the journal, whatever a window shows. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { JournalRow } from '#shared/journal/model.ts';
import type { TestCore } from './core.ts';
import { RestClient } from './rest-client.ts';

const Page = z.object({ rows: z.array(JournalRow), hasMore: z.boolean() });
const Intact = z.object({ isIntact: z.boolean() });

/** The report of the sample crew; undefined while there is none. */
export function sampleReport(core: TestCore): string | undefined {
  const file = join(core.dataDir, 'projects', 'sample', 'report.md');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Who did what through which door, oldest first, each as `actor door kind subject`; the subject only where it is an agent's name. */
export async function journalLines(core: TestCore): Promise<string[]> {
  const rest = new RestClient(core);
  const lines: string[] = [];
  for (let after = 0; ;) {
    const { rows, hasMore } = Page.parse(await rest.ok('GET', `/journal?after=${after}&limit=500`));
    lines.push(...rows.map(lineOf));
    const last = rows.at(-1);
    if (!hasMore || last === undefined) return lines;
    after = last.seq;
  }
}

function lineOf({ actor, door, kind, subject, data }: z.infer<typeof JournalRow>): string {
  const Told = z.object({ message: z.object({ kind: z.string(), to: z.array(z.string()), body: z.string() }) });
  const told = kind === 'message.sent' ? Told.safeParse(data) : undefined;
  if (told?.success === true) {
    const { message } = told.data;
    return `${actor.id} ${door} ${message.kind} to ${message.to.join(' ')}: ${message.body}`;
  }
  const Ordered = z.object({ state: z.object({ status: z.string() }) });
  const ordered = kind === 'agent.state-changed' ? Ordered.safeParse(data) : undefined;
  if (ordered?.success === true) return `${actor.id} ${door} ${subject} is ${ordered.data.state.status}`;
  return `${actor.id} ${door} ${kind} ${subject}`;
}

/** Whether the journal's chain is whole. */
export async function isJournalIntact(core: TestCore): Promise<boolean> {
  return Intact.parse(await new RestClient(core).ok('POST', '/journal:verify', {})).isIntact;
}
