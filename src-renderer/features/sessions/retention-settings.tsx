import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import * as z from 'zod';
import type { CoreClient } from '#renderer/connection/line.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import { useAsked } from '#renderer/store/use-asked.ts';
import { problemOf, useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import { Dialog } from '#renderer/ui/dialog.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import type { Project } from '#shared/projects/model.ts';
import type { RetentionPolicy, RetentionReport } from '#shared/retention/model.ts';
import { KEEP_EVERYTHING, RetentionReport as RetentionReportSchema } from '#shared/retention/model.ts';
import { exportMessages } from './export-messages.ts';
import { RetentionPreview } from './retention-preview.tsx';
import type { Limit, PolicyForm } from './retention-words.ts';
import {
  countText,
  formOf,
  isSamePolicy,
  LIMIT_UNITS,
  LIMITS,
  limitsAnything,
  policyOf,
  problemOfLimit,
} from './retention-words.ts';

/** What is typed rests this long before it is looked at, in milliseconds. */
const TYPING_MS = 300;

const NAMES: Readonly<Record<Limit, string>> = {
  maxAgeMs: 'Older than',
  maxMessages: 'All but the newest',
  maxBytes: 'All but the newest',
};

const Applied = z.object({ report: RetentionReportSchema });

/** What applying a policy would do, of the policy that was asked about. */
interface Preview {
  readonly of: string;
  readonly report?: RetentionReport;
  readonly problem?: string;
}

/** How long the messages of a project are kept: what would go is seen before anything is switched on. */
export function RetentionSettings({ project }: { readonly project: Project }): ReactNode {
  const { answer, problem, ask } = useAsked(
    `retention ${project.id}`,
    (client) => client.retention.get({ projectId: project.id }),
    {
      isChangedBy: ({ kind, projectId }) => kind.startsWith('retention.') && projectId === project.id,
    },
  );
  const { answer: run } = useAsked(`retention run ${project.id}`, (client) => lastRun(client, project), {
    isChangedBy: ({ kind, projectId }) => kind === 'retention.applied' && projectId === project.id,
  });
  return (
    <SettingsGroup
      title="How long messages are kept"
      note="For ever, unless you say otherwise. What somebody has not acknowledged, and requests without an answer, stay in any case."
    >
      {answer === undefined ? (
        problem === undefined ? (
          <SkeletonText lines={5} />
        ) : (
          <Notice title="It is not known what is kept." detail={problem} />
        )
      ) : (
        <PolicyEditor
          key={`${project.id} ${JSON.stringify(answer.policy)}`}
          project={project}
          saved={answer.policy}
          appliedAt={answer.appliedAt}
          removed={run?.messages}
          onChanged={ask}
        />
      )}
    </SettingsGroup>
  );
}

/** What the newest run of the audit trail did; undefined when there is none. */
async function lastRun(client: CoreClient, project: Project): Promise<RetentionReport | undefined> {
  const { rows } = await client.journal.list({
    projectId: project.id,
    kind: 'retention.applied',
    before: Number.MAX_SAFE_INTEGER,
    limit: 1,
  });
  return Applied.safeParse(rows[0]?.data).data?.report;
}

interface PolicyEditorProps {
  readonly project: Project;
  readonly saved: RetentionPolicy;
  readonly appliedAt: number | null;
  /** How many messages the last run that removed some removed; undefined while that is not known. */
  readonly removed: number | undefined;
  readonly onChanged: () => void;
}

function PolicyEditor({ project, saved, appliedAt, removed, onChanged }: PolicyEditorProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [form, setForm] = useState<PolicyForm>(() => formOf(saved));
  const [isRemoving, setRemoving] = useState(false);
  const policy = policyOf(form);
  const preview = usePreview(project, policy, appliedAt);
  const isChanged = policy === undefined || !isSamePolicy(policy, saved);
  const isLimiting = policy !== undefined && limitsAnything(policy);

  const set = (next: RetentionPolicy, title: string): void =>
    command.run(
      () => session.client.retention.set({ projectId: project.id, policy: next }),
      () => {
        showToast({
          title,
          actions: [{ text: 'Undo', onClick: () => set(saved, 'Messages are kept as before.') }],
        });
        onChanged();
      },
    );
  const remove = (): void =>
    command.run(async () => {
      const report = await session.client.retention.apply({ projectId: project.id });
      setRemoving(false);
      showToast({
        title: report.messages === 0 ? 'There was nothing to remove.' : `${countText(report.messages, 'message')} removed.`,
      });
    }, onChanged);
  const setLimit = (limit: Limit, text: string | null): void => setForm({ ...form, limits: { ...form.limits, [limit]: text } });

  return (
    <>
      {command.problem === undefined ? null : <Notice title="That was not done." detail={command.problem} />}
      <fieldset className="min-w-0">
        <legend className="mb-1 text-13 font-medium">Remove messages</legend>
        <div className="flex flex-col gap-1">
          {LIMITS.map((limit) => (
            <LimitRow key={limit} limit={limit} text={form.limits[limit]} onChange={(text) => setLimit(limit, text)} />
          ))}
        </div>
      </fieldset>
      {LIMITS.every((limit) => form.limits[limit] === null) ? null : (
        <>
          <div className="flex flex-col items-start">
            <Checkbox
              label="Once a day by itself; otherwise only when you say so"
              checked={form.isAutomatic}
              onChange={(isAutomatic) => setForm({ ...form, isAutomatic })}
            />
            <Checkbox
              label="Also the mirror’s files in the data folder, of sessions of which no message is left"
              checked={form.removesMirrors}
              onChange={(removesMirrors) => setForm({ ...form, removesMirrors })}
            />
          </div>
          {policy === undefined ? null : <RetentionPreview report={preview?.report} problem={preview?.problem} />}
        </>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {isChanged ? (
          <>
            <Button
              look="ink"
              // Nothing is switched on whose consequence was not there to be read.
              disabled={policy === undefined || command.isRunning || (isLimiting && preview?.report === undefined)}
              onClick={() =>
                policy === undefined
                  ? undefined
                  : set(policy, isLimiting ? 'That is how messages are kept from now on.' : 'All messages are kept from now on.')
              }
            >
              {isLimiting || policy === undefined ? 'Keep messages like this' : 'Keep everything'}
            </Button>
            <Button onClick={() => setForm(formOf(saved))}>Discard the changes</Button>
            <span className="text-12 text-tx-3">
              {!isLimiting
                ? ''
                : policy.isAutomatic
                  ? 'Removes nothing at once; once a day from then on.'
                  : 'Removes nothing by itself.'}
            </span>
          </>
        ) : isLimiting ? (
          <>
            <Button look="danger" disabled={command.isRunning || preview?.report === undefined} onClick={() => setRemoving(true)}>
              Remove now…
            </Button>
            <Button disabled={command.isRunning} onClick={() => set(KEEP_EVERYTHING, 'All messages are kept from now on.')}>
              Keep everything
            </Button>
          </>
        ) : null}
        <span className="ml-auto text-12 text-tx-3">
          {appliedAt === null && !isChanged ? (limitsAnything(saved) ? 'Never applied yet' : 'Everything is kept') : null}
          {appliedAt === null || isChanged ? null : (
            <>
              Last applied <RelativeTime at={appliedAt} />
              {removed === undefined ? '' : `, ${removed === 0 ? 'nothing' : countText(removed, 'message')} removed`}
            </>
          )}
        </span>
      </div>
      <Dialog
        isOpen={isRemoving}
        onClose={() => setRemoving(false)}
        title={`Remove ${countText(preview?.report?.messages ?? 0, 'message')} of ${project.name}?`}
        description="They are gone from the history, from searches, and from the texts of the audit trail. This cannot be undone."
        footer={
          <>
            <Button
              onClick={() =>
                command.run(() =>
                  exportMessages(() => session.client, { format: 'jsonl', projectId: project.id, sessionId: undefined }),
                )
              }
            >
              Export all first
            </Button>
            <Button onClick={() => setRemoving(false)}>Cancel</Button>
            <Button look="danger" disabled={command.isRunning} onClick={remove}>
              Remove them
            </Button>
          </>
        }
      >
        {command.problem === undefined ? null : <Notice title="That was not done." detail={command.problem} />}
        <RetentionPreview report={preview?.report} problem={preview?.problem} />
      </Dialog>
    </>
  );
}

interface LimitRowProps {
  readonly limit: Limit;
  readonly text: string | null;
  readonly onChange: (text: string | null) => void;
}

function LimitRow({ limit, text, onChange }: LimitRowProps): ReactNode {
  const { unit, first } = LIMIT_UNITS[limit];
  return (
    <div className="flex min-h-7 flex-wrap items-start gap-x-2 gap-y-1">
      <Checkbox
        label={text === null ? `${NAMES[limit]} … ${unit}` : NAMES[limit]}
        checked={text !== null}
        onChange={(isOn) => onChange(isOn ? first : null)}
        className="min-h-7!"
      />
      {text === null ? null : (
        <div className="flex min-w-0 items-start gap-2">
          <TextField
            label={`${NAMES[limit]}, in ${unit}`}
            isLabelHidden
            inputMode="decimal"
            value={text}
            onChange={onChange}
            error={problemOfLimit(limit, text)}
            className="w-32"
          />
          <span className="text-12 leading-7 text-tx-2">{unit}</span>
        </div>
      )}
    </div>
  );
}

/** What a policy would remove now; asked for when it has rested a moment. undefined while that is not known, or nothing is limited. */
function usePreview(project: Project, policy: RetentionPolicy | undefined, appliedAt: number | null): Preview | undefined {
  const session = useSession();
  const [preview, setPreview] = useState<Preview>();
  // A run makes it another one.
  const key = policy !== undefined && limitsAnything(policy) ? JSON.stringify([policy, appliedAt]) : undefined;
  useEffect(() => {
    if (key === undefined || policy === undefined) return undefined;
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      Promise.resolve()
        .then(() => session.client.retention.preview({ projectId: project.id, policy }, { signal: leaving.signal }))
        .then((report) => {
          if (!leaving.signal.aborted) setPreview({ of: key, report });
        })
        .catch((error: unknown) => {
          if (!leaving.signal.aborted) setPreview({ of: key, problem: problemOf(error) });
        });
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
    // oxlint-disable-next-line react/exhaustive-deps -- the policy is a new object each time; its text is what counts
  }, [session, project.id, key]);
  return preview?.of === key ? preview : undefined;
}
