import { useCallback, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { CopyLine } from '#renderer/ui/copy-button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import type { EnrolmentCode } from '#shared/enrolments/model.ts';
import { leftText } from './left-text.ts';
import { RequestList } from './request-list.tsx';

/** A code whose time is over leaves the list at the latest after this long, in milliseconds. */
const LOOK_EVERY_MS = 5_000;

/** What was made, as long as it is shown. */
interface MadeCode {
  readonly code: EnrolmentCode;
  readonly secret: string;
  readonly agentMcpUrl: string;
}

/** Agents that Quarterdeck does not start: a code for one, the codes that are open, and who asks without one. */
export function EnrolmentSettings(): ReactNode {
  const session = useSession();
  const isOnline = useWindowState(({ status }) => status.kind === 'online');
  // A code that is used makes an agent: then the list is another one.
  const agents = useWindowState((state) => Object.keys(state.crew.agents).length);
  const [codes, setCodes] = useState<readonly EnrolmentCode[]>([]);
  const [made, setMade] = useState<MadeCode>();
  const command = useCommand();
  const now = useNow(LOOK_EVERY_MS);

  const load = useCallback(async (): Promise<void> => {
    const open = await session.client.enrolments.list({});
    setCodes(open.codes);
  }, [session]);
  useEffect(() => {
    if (!isOnline) return;
    Promise.resolve()
      .then(load)
      .catch(() => undefined);
  }, [isOnline, agents, load]);

  const make = async (): Promise<void> => {
    setMade(await session.client.enrolments.createCode({}));
    await load();
  };
  const revoke = (code: EnrolmentCode): void =>
    command.run(async () => {
      await session.client.enrolments.revokeCode({ id: code.id });
      if (made?.code.id === code.id) setMade(undefined);
      await load();
    });
  const open = codes.filter(({ expiresAt }) => expiresAt > now);
  const shown = made !== undefined && open.some(({ id }) => id === made.code.id) ? made : undefined;
  return (
    <SettingsGroup
      title="Agents from outside"
      note="A program that you start yourself can join the crew and take part in its messages. Quarterdeck neither contains nor controls it: it is shown as that, and as lost when nothing is heard of it."
    >
      <RequestList />
      {command.problem === undefined ? null : <Notice title="That was not done." detail={command.problem} />}
      {shown === undefined ? null : <NewCode made={shown} left={leftText(shown.code.expiresAt - now)} />}
      <p>
        <Button disabled={command.isRunning} onClick={() => command.run(make)}>
          Enrol an agent
        </Button>
      </p>
      {open.length === 0 ? (
        <p className="text-12 text-tx-3">No code is open.</p>
      ) : (
        <ul aria-label="Open codes" className="rounded-2 border border-hair">
          {open.map((code) => (
            <li key={code.id} className="flex h-9 items-center gap-3 border-b border-hair px-3 text-12 last:border-b-0">
              <span className="figures min-w-0 truncate">…{code.id.slice(-6)}</span>
              <span className="min-w-0 truncate text-tx-2">
                {code.agentId === null ? 'for any agent' : `for ${code.agentId}`}
              </span>
              <span className="ml-auto flex-none text-tx-3">{leftText(code.expiresAt - now)}</span>
              <Button
                size="small"
                look="danger"
                disabled={command.isRunning}
                aria-label={`Revoke the code …${code.id.slice(-6)}`}
                onClick={() => revoke(code)}
              >
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
    </SettingsGroup>
  );
}

/** A code just made, this one time, and what is done with it. */
function NewCode({ made, left }: { readonly made: MadeCode; readonly left: string }): ReactNode {
  return (
    <div className="flex flex-col gap-3 rounded-2 border border-hair-strong p-3">
      <div className="flex flex-col gap-1">
        <p className="text-12 text-tx-2">
          The code, for one agent, {left}. It is not shown again. Tell the agent to call register_agent with it.
        </p>
        <CopyLine text={made.secret} />
      </div>
      <div className="flex flex-col gap-1">
        <p className="text-12 text-tx-2">Claude Code reaches register_agent like this:</p>
        <CopyLine text={`claude mcp add --transport http quarterdeck-crew ${made.agentMcpUrl}`} />
      </div>
      <p className="text-12 text-tx-2">
        The answer holds the agent’s own token. It connects anew with that, in the header “Authorization: Bearer …”.
      </p>
    </div>
  );
}
