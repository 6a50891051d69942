import type { ReactNode } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { EnrolmentRequest } from '#shared/enrolments/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { leftText } from './left-text.ts';

/** A request whose time is over leaves the list at the latest after this long, in milliseconds. */
const LOOK_EVERY_MS = 5_000;

const MARK = { shape: 'triangle', tone: 'needs', word: 'Needs you' } as const;

/** Who asks to be let in, and the decision. Nothing when nobody does. */
export function RequestList(): ReactNode {
  const enrolments = useWindowState((state) => state.crew.enrolments);
  const now = useNow(LOOK_EVERY_MS);
  const waiting = Object.values(enrolments)
    .filter(({ expiresAt }) => expiresAt > now)
    .sort((a, b) => a.requestedAt - b.requestedAt);
  if (waiting.length === 0) return null;
  return (
    <ul aria-label="Asking to join" className="flex flex-col gap-2">
      {waiting.map((request) => (
        <Request key={request.id} request={request} left={leftText(request.expiresAt - now)} />
      ))}
    </ul>
  );
}

function Request({ request, left }: { readonly request: EnrolmentRequest; readonly left: string }): ReactNode {
  const session = useSession();
  const command = useCommand();
  const project = useWindowState((state) => ownEntry(state.crew.projects, request.projectId)?.name);
  const { wish, address, check } = request;
  const name = visibleText(wish.name);
  const decide = (isApproved: boolean): void =>
    command.run(() => session.client.enrolments.decide({ id: request.id, isApproved }));
  const skills = [...new Set([...wish.capabilities, ...wish.specialisations])];
  return (
    <li className="flex flex-col gap-2 rounded-2 border border-needs-line bg-needs-bg p-3">
      <p className="flex min-w-0 items-center gap-2 text-13">
        <StateMark look={MARK} />
        <strong className="min-w-0 truncate font-strong">{name}</strong>
        <span className="flex-none text-12 text-tx-2">asks to join, {left}</span>
      </p>
      {wish.note === '' ? null : <p className="text-12 text-pretty [overflow-wrap:anywhere]">{visibleText(wish.note)}</p>}
      <p className="text-12 text-pretty [overflow-wrap:anywhere] text-tx-2">
        From {address}
        {project === undefined ? '' : `, for the project ${project}`}
        {skills.length === 0 ? '' : `. It says it can: ${skills.join(', ')}`}. Let it in only if it tells you the check{' '}
        <strong className="figures font-medium text-tx-1">{check}</strong>: nothing it says of itself is proved.
      </p>
      {command.problem === undefined ? null : <Notice title="That was not done." detail={command.problem} />}
      <div className="flex gap-2">
        <Button look="ink" size="small" disabled={command.isRunning} aria-label={`Approve ${name}`} onClick={() => decide(true)}>
          Approve
        </Button>
        <Button size="small" disabled={command.isRunning} aria-label={`Deny ${name}`} onClick={() => decide(false)}>
          Deny
        </Button>
      </div>
    </li>
  );
}
