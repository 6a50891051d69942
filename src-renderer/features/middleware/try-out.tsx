import { useState } from 'react';
import type { ReactNode } from 'react';
import type { CoreClient } from '#renderer/connection/line.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Combobox } from '#renderer/ui/combobox.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { Fact, Facts } from '#renderer/ui/panel.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { TextArea } from '#renderer/ui/text-field.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { Address, BROADCAST, MAX_BODY_CHARS, MessageKind, OPERATOR } from '#shared/messages/model.ts';
import type { MiddlewareChain } from '#shared/middleware/model.ts';
import type { Project } from '#shared/projects/model.ts';
import { OUTCOME_WORDS } from './step-words.ts';

type Tried = Awaited<ReturnType<CoreClient['middleware']['tryOut']>>;

const KINDS = MessageKind.options.map((value) => ({ value, text: value }));

interface TryOutProps {
  readonly project: Project;
  /** What is tried; undefined while something in it is wrong. */
  readonly chain: MiddlewareChain | undefined;
  /** Whether it is not saved yet. */
  readonly isChanged: boolean;
}

/** A message carried through the steps without being sent: what each of them would do with it. */
export function TryOut({ project, chain, isChanged }: TryOutProps): ReactNode {
  const session = useSession();
  const agents = useWindowState((state) => state.crew.agents);
  const command = useCommand();
  const names = Object.values(agents)
    .filter(({ projectId }) => projectId === project.id)
    .map(({ id }) => id as string)
    .toSorted();
  const [from, setFrom] = useState<string>(OPERATOR);
  const [to, setTo] = useState<string>(OPERATOR);
  const [kind, setKind] = useState<MessageKind>('note');
  const [body, setBody] = useState('');
  const [tried, setTried] = useState<Tried>();

  const run = (): void =>
    command.run(async () => {
      setTried(undefined);
      const sender = AgentId.safeParse(from);
      setTried(
        await session.client.middleware.tryOut({
          projectId: project.id,
          message: { to: Address.parse(to), body: body.trim(), kind },
          ...(from !== OPERATOR && sender.success ? { from: sender.data } : {}),
          ...(chain === undefined ? {} : { chain }),
        }),
      );
    });
  return (
    <form
      aria-label="Try the steps"
      className="flex flex-col gap-2 rounded-2 border border-hair p-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (body.trim() !== '' && chain !== undefined && !command.isRunning) run();
      }}
    >
      <h3 className="text-13 font-medium">Try the steps</h3>
      <p className="text-12 text-pretty text-tx-3">
        Nothing is sent, and no limit is used up.{' '}
        {isChanged ? 'The steps above are tried as they stand there, before they are saved.' : ''}
      </p>
      <div className="flex flex-wrap items-center gap-1.5">
        <Combobox
          label="From"
          value={from}
          options={[{ value: OPERATOR, text: 'you' }, ...names.map((name) => ({ value: name, text: name }))]}
          onChange={setFrom}
        />
        <Combobox
          label="To"
          value={to}
          options={[
            { value: OPERATOR, text: 'you' },
            { value: BROADCAST, text: 'everybody' },
            ...names.map((name) => ({ value: name, text: name })),
          ]}
          onChange={setTo}
        />
        <Select label="Kind" value={kind} options={KINDS} onChange={setKind} />
      </div>
      <TextArea
        label="A message to try"
        rows={2}
        maxLength={MAX_BODY_CHARS}
        value={body}
        onChange={setBody}
        placeholder="The password of the staging database is …"
      />
      <div>
        <Button type="submit" disabled={body.trim() === '' || chain === undefined || command.isRunning}>
          Try it
        </Button>
      </div>
      {command.problem === undefined ? null : <Notice title="It was not tried." detail={command.problem} />}
      {tried === undefined ? null : <Result tried={tried} />}
    </form>
  );
}

function Result({ tried: { steps, refusal, message } }: { readonly tried: Tried }): ReactNode {
  return (
    <section aria-label="What the steps would do" aria-live="polite" className="border-t border-hair pt-2 text-12">
      {steps.length === 0 ? <p className="text-tx-2">There are no steps: it would be stored as it is.</p> : null}
      <ol className="flex flex-col gap-1">
        {steps.map(({ id, outcome, detail }, at) => (
          <li key={id} className="flex min-w-0 flex-wrap gap-x-2">
            <span className="figures w-5 flex-none text-right text-tx-3">{at + 1}</span>
            <strong className="font-medium text-tx-1">{id}</strong>
            <span className={outcome === 'refused' || outcome === 'failed' ? 'text-st-failed' : 'text-tx-2'}>
              {OUTCOME_WORDS[outcome]}
            </span>
            {detail === '' || outcome === 'off' || outcome === 'passed' ? null : (
              <span className="min-w-0 break-words text-tx-3">{visibleText(detail)}</span>
            )}
          </li>
        ))}
      </ol>
      {refusal === null ? null : (
        <p className="mt-2 text-st-failed">
          Refused. The sender is told: <span className="text-tx-1">{visibleText(refusal.message)}</span>
        </p>
      )}
      {message === null ? null : (
        <div className="mt-2">
          <h4 className="mb-1 font-strong">As it would be stored</h4>
          <Facts>
            {message.subject === null ? null : <Fact name="Subject">{visibleText(message.subject)}</Fact>}
            <Fact name="Text">
              <span className="line-clamp-6 whitespace-pre-wrap">{visibleText(message.body)}</span>
            </Fact>
            <Fact name="Priority">{message.priority}</Fact>
            {message.data === null ? null : (
              <Fact name="Data">
                <code className="font-code break-all">{visibleText(JSON.stringify(message.data))}</code>
              </Fact>
            )}
          </Facts>
        </div>
      )}
    </section>
  );
}
