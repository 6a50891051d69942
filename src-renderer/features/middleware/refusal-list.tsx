import type { ReactNode } from 'react';
import * as z from 'zod';
import type { CoreClient } from '#renderer/connection/line.ts';
import { useAsked } from '#renderer/store/use-asked.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { middlewareEvents } from '#shared/middleware/events.ts';
import type { Project } from '#shared/projects/model.ts';

/** So many of the newest are shown of each sort; all of them are in the audit trail. */
const SHOWN = 12;

interface Refusal {
  readonly seq: number;
  readonly at: number;
  /** Who or what: the sender, or the step whose module failed. */
  readonly who: string;
  readonly what: string;
  readonly reason: string;
  readonly count: number;
}

const Refused = middlewareEvents['middleware.refused'];
const Failed = middlewareEvents['middleware.module-failed'];
const Subject = z.string().catch('');

/** What the steps refused lately, and where modules failed: rows of the audit trail, the newest first. */
async function load(client: CoreClient, { id }: Project): Promise<readonly Refusal[]> {
  const page = { projectId: id, before: Number.MAX_SAFE_INTEGER, limit: SHOWN };
  const [refused, failed] = await Promise.all([
    client.journal.list({ ...page, kind: 'middleware.refused' }),
    client.journal.list({ ...page, kind: 'middleware.module-failed' }),
  ]);
  return [
    ...refused.rows.flatMap(({ seq, subject, data }): Refusal[] => {
      const parsed = Refused.safeParse(data).data;
      if (parsed === undefined) return [];
      const { step, reason, count, lastAt } = parsed;
      return [{ seq, at: lastAt, who: Subject.parse(subject), what: `refused by ${step}`, reason, count }];
    }),
    ...failed.rows.flatMap(({ seq, subject, data }): Refusal[] => {
      const parsed = Failed.safeParse(data).data;
      if (parsed === undefined) return [];
      const { module, problem, count, lastAt } = parsed;
      return [{ seq, at: lastAt, who: Subject.parse(subject), what: `module ${module} failed`, reason: problem, count }];
    }),
  ]
    .toSorted((a, b) => b.seq - a.seq)
    .slice(0, SHOWN);
}

/** What was refused lately, by which step, and why. */
export function RefusalList({ project }: { readonly project: Project }): ReactNode {
  const { answer, problem } = useAsked(`refusals ${project.id}`, (client) => load(client, project), {
    isChangedBy: ({ kind, projectId }) =>
      (kind === 'middleware.refused' || kind === 'middleware.module-failed') && projectId === project.id,
  });
  return (
    <SettingsGroup
      title="What was refused lately"
      note="From the audit trail. Further refusals of the same sender and step within a minute are one row, with their number; texts of messages are never in it."
    >
      {problem === undefined ? null : <Notice title="The audit trail was not read." detail={problem} />}
      {answer === undefined ? null : answer.length === 0 ? (
        <p className="text-12 text-tx-3">Nothing was.</p>
      ) : (
        <ul aria-label="Refused lately" className="rounded-2 border border-hair">
          {answer.map(({ seq, at, who, what, reason, count }) => (
            <li key={seq} className="border-b border-hair px-3 py-1.5 text-12 last:border-b-0">
              <p className="flex min-w-0 flex-wrap items-baseline gap-x-2">
                <strong className="font-medium text-tx-1">{visibleText(who)}</strong>
                <span className="text-tx-2">{visibleText(what)}</span>
                {count > 1 ? <span className="figures text-tx-2">{count.toLocaleString('en-GB')} times</span> : null}
                <RelativeTime at={at} className="ml-auto text-tx-3" />
              </p>
              <p className="text-pretty break-words text-tx-3">{visibleText(reason)}</p>
            </li>
          ))}
        </ul>
      )}
    </SettingsGroup>
  );
}
