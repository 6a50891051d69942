import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { Select } from '#renderer/ui/select.tsx';
import type { Address, Message, MessageKind } from '#shared/messages/model.ts';
import { Address as AddressSchema, BROADCAST, MAX_BODY_CHARS, OPERATOR } from '#shared/messages/model.ts';
import { nameOf } from './delivery-look.ts';
import type { Draft } from './draft.ts';
import { newDraft } from './draft.ts';

/** The kinds that a person writes. A reply is what the composer sends when it answers a message. */
type WrittenKind = Extract<MessageKind, 'note' | 'task' | 'request'>;
const KINDS: readonly { readonly value: WrittenKind; readonly text: string }[] = [
  { value: 'note', text: 'note' },
  { value: 'task', text: 'task' },
  { value: 'request', text: 'request' },
];

interface ComposerProps {
  readonly agentIds: readonly string[];
  /** The agent that a new message goes to unless another is chosen. */
  readonly preferredId: string | undefined;
  /** The message that is being answered. */
  readonly answers: Message | undefined;
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
  readonly onAnswerDone: (sent: boolean) => void;
}

/** Writes a message to an agent, to everybody, or to oneself. Sent with Ctrl Enter or the button. */
export function Composer({ agentIds, preferredId, answers, draft, onDraft, onAnswerDone }: ComposerProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [chosenTo, setChosenTo] = useState<string>();
  const [kind, setKind] = useState<WrittenKind>('note');

  const box = useRef<HTMLTextAreaElement>(null);

  // Who presses Reply wants to write.
  useEffect(() => {
    if (answers !== undefined) box.current?.focus();
  }, [answers]);

  const reachable = [...agentIds, BROADCAST, OPERATOR];
  const to = answers?.from.id ?? (chosenTo !== undefined && reachable.includes(chosenTo) ? chosenTo : (preferredId ?? BROADCAST));
  const text = draft.text.trim();

  const send = async (): Promise<void> => {
    const address: Address = AddressSchema.parse(to);
    await session.client.messages.send({
      to: address,
      body: text,
      kind: answers ? 'reply' : kind,
      ...(answers ? { inReplyTo: answers.id } : {}),
      idempotencyKey: `window-${draft.key}`,
    });
    if (answers) await session.acknowledge([answers.id]);
  };
  const submit = (): void => {
    if (text === '' || command.isRunning) return;
    command.run(send, () => {
      onDraft(newDraft());
      if (answers) onAnswerDone(true);
    });
  };

  return (
    <form
      aria-label="Write a message"
      className="flex-none border-t border-hair bg-bg-1"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {command.problem === undefined ? null : (
        <Notice title="The message was not sent." detail={command.problem}>
          <Button size="small" onClick={command.dismiss}>
            Dismiss
          </Button>
        </Notice>
      )}
      <div className="px-4 pt-2.5 pb-3">
        <div className="mb-2 flex min-w-0 items-center gap-1.5">
          {answers === undefined ? (
            <>
              <Select
                label="To"
                value={to}
                options={reachable.map((value) => ({ value, text: nameOf(value) }))}
                onChange={setChosenTo}
              />
              <Select label="Kind" value={kind} options={KINDS} onChange={setKind} />
            </>
          ) : (
            <span className="flex h-7 min-w-0 items-center gap-1 text-12 text-tx-3">
              <span className="truncate">
                Reply to <strong className="font-medium text-tx-1">{nameOf(answers.from.id)}</strong>:{' '}
                {answers.subject ?? answers.body}
              </span>
              <Button
                size="small"
                look="quiet"
                aria-label="Do not reply"
                icon={<X aria-hidden className="size-3.5" />}
                onClick={() => onAnswerDone(false)}
              />
            </span>
          )}
        </div>
        <textarea
          ref={box}
          aria-label="Message"
          rows={3}
          maxLength={MAX_BODY_CHARS}
          value={draft.text}
          placeholder={answers ? 'Your answer' : 'Write a message'}
          onChange={(event) => onDraft({ ...draft, text: event.target.value })}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            submit();
          }}
          className="block w-full resize-none rounded-2 border border-hair-strong bg-bg-0 px-2.5 py-2 leading-[18px] placeholder:text-tx-3"
        />
        <div className="mt-2 flex items-center gap-2">
          <span className="truncate text-12 text-tx-3">{to === BROADCAST ? `Goes to ${agentIds.length} agents` : ''}</span>
          <Button type="submit" look="ink" className="ml-auto" disabled={text === '' || command.isRunning}>
            {command.isRunning ? 'Sending' : 'Send'}
            <KeyHint>Ctrl Enter</KeyHint>
          </Button>
        </div>
      </div>
    </form>
  );
}
