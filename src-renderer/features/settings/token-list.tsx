import { useCallback, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { CopyLine } from '#renderer/ui/copy-button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import type { AccessToken } from '#shared/auth/model.ts';
import { MintableRole } from '#shared/auth/model.ts';

const ROLES: readonly { readonly value: MintableRole; readonly text: string }[] = [
  { value: 'automation', text: 'automation: runs the crew' },
  { value: 'observer', text: 'observer: only looks' },
  { value: 'operator', text: 'operator: all that you may' },
];
/** What a token may, in a word: in the list, where each can be given another. */
const SHORT_ROLES = ROLES.map(({ value }) => ({ value, text: value }));
/** The core's name of the tokens behind browser logins: they are the operator's, and stay it. */
const BROWSER = 'browser';
const TIMES = [
  { value: '30d', text: '30 days' },
  { value: '7d', text: '7 days' },
  { value: '1d', text: '1 day' },
  { value: '', text: 'for ever' },
] as const;

/** A token that has expired leaves the list at the latest after this long, in milliseconds. */
const LOOK_EVERY_MS = 60_000;

/** The tokens of other programs: making one, changing what it may, and taking one back. `onMade` gets the secret, this one time; undefined when it is good no more. */
export function TokenList({ onMade }: { readonly onMade: (secret: string | undefined) => void }): ReactNode {
  const session = useSession();
  const isOnline = useWindowState(({ status }) => status.kind === 'online');
  const [tokens, setTokens] = useState<readonly AccessToken[]>();
  const [made, setMade] = useState<{ readonly id: string; readonly name: string; readonly secret: string }>();
  const [name, setName] = useState('');
  const [role, setRole] = useState<MintableRole>('automation');
  const [ttl, setTtl] = useState<string>('30d');
  const command = useCommand();

  const load = useCallback(async (): Promise<void> => {
    const answer = await session.client.auth.listTokens({});
    setTokens(answer.tokens);
  }, [session]);
  useEffect(() => {
    if (!isOnline) return;
    Promise.resolve()
      .then(load)
      .catch(() => undefined);
  }, [isOnline, load]);

  const make = async (): Promise<void> => {
    const answer = await session.client.auth.createToken({ name: name.trim(), role, ...(ttl === '' ? {} : { ttlMs: ttl }) });
    setMade({ id: answer.token.id, name: answer.token.name, secret: answer.secret });
    onMade(answer.secret);
    setName('');
    await load();
  };
  const change = (token: AccessToken, given: MintableRole): void =>
    command.run(async () => {
      await session.client.auth.changeTokenRole({ id: token.id, role: given });
      await load();
    });
  const revoke = (token: AccessToken): void =>
    command.run(async () => {
      await session.client.auth.revokeToken({ id: token.id });
      if (made?.id === token.id) {
        setMade(undefined);
        onMade(undefined);
      }
      await load();
    });
  const now = useNow(LOOK_EVERY_MS);
  // Agents' tokens come and go with them: they are not for hands. What has expired opens nothing any more.
  const shown = (tokens ?? []).filter(
    ({ agentId, revokedAt, expiresAt }) => agentId === null && revokedAt === null && (expiresAt === null || expiresAt > now),
  );
  return (
    <>
      {command.problem === undefined ? null : <Notice title="That was not done." detail={command.problem} />}
      {made === undefined ? null : (
        <div className="rounded-2 border border-hair-strong p-3">
          <p className="mb-2 text-12 text-tx-2">
            The token of <strong className="font-medium text-tx-1">{made.name}</strong>. It is not shown again.
          </p>
          <CopyLine text={made.secret} />
        </div>
      )}
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== '') command.run(make);
        }}
      >
        <TextField
          label="What it is for"
          value={name}
          onChange={setName}
          placeholder="Claude Code"
          maxLength={80}
          className="w-56"
        />
        <Select label="May" value={role} options={ROLES} onChange={setRole} />
        <Select label="Valid" value={ttl} options={TIMES} onChange={setTtl} />
        <Button type="submit" disabled={name.trim() === '' || command.isRunning}>
          Make a token
        </Button>
      </form>
      {shown.length === 0 ? (
        <p className="text-12 text-tx-3">{tokens === undefined ? '' : 'No program has a token.'}</p>
      ) : (
        <ul className="rounded-2 border border-hair">
          {shown.map((token) => (
            <li key={token.id} className="flex h-9 items-center gap-3 border-b border-hair px-3 text-12 last:border-b-0">
              <strong className="min-w-0 truncate font-medium">{token.name}</strong>
              <TokenRole token={token} isDisabled={command.isRunning} onChange={(given) => change(token, given)} />
              <span className="ml-auto text-tx-3">
                made <RelativeTime at={token.createdAt} />
                {token.expiresAt === null ? ', valid for ever' : ''}
              </span>
              <Button
                size="small"
                look="danger"
                disabled={command.isRunning}
                aria-label={`Revoke ${token.name}`}
                onClick={() => revoke(token)}
              >
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

interface TokenRoleProps {
  readonly token: AccessToken;
  readonly isDisabled: boolean;
  readonly onChange: (role: MintableRole) => void;
}

/** What a token may; of a program's it can be changed. */
function TokenRole({ token, isDisabled, onChange }: TokenRoleProps): ReactNode {
  const { data: role } = MintableRole.safeParse(token.role);
  if (role === undefined || token.name === BROWSER) return <span className="text-tx-2">{token.role}</span>;
  return (
    <Select
      label={`What ${token.name} may`}
      isLabelHidden
      value={role}
      options={SHORT_ROLES}
      disabled={isDisabled}
      onChange={onChange}
    />
  );
}
