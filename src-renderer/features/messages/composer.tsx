import { CornerDownRight, Paperclip, X } from 'lucide-react';
import { useEffect, useImperativeHandle, useMemo, useRef } from 'react';
import type { ReactNode, Ref } from 'react';
import { useAgents, useProject, useProjects } from '#renderer/store/project-scope.ts';
import { MAX_UPLOAD_BYTES } from '#renderer/connection/upload-file.ts';
import { addressesOf, answeredOf, answerTo } from '#renderer/store/answer.ts';
import type { Answered, OutgoingMessage, WrittenMessage } from '#renderer/store/outgoing-message.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { MultiCombobox } from '#renderer/ui/combobox.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import { useToastClearance } from '#renderer/ui/toast-clearance.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { MAX_ATTACHMENTS } from '#shared/messages/attachment.ts';
import type { Message } from '#shared/messages/model.ts';
import { BROADCAST, MAX_DELAY_MS, MAX_TTL_MS, PRIORITIES } from '#shared/messages/model.ts';
import { deliveryPromise } from './delivery-promise.ts';
import { sizeText } from '#renderer/ui/format-size.ts';
import { DraftField } from './draft-field.tsx';
import { DraftFiles } from './draft-files.tsx';
import { FileDrop } from './file-drop.tsx';
import { givenBack, isWritten, joinedFiles, nextDraft, WRITTEN_KINDS } from './drafts.ts';
import { isQuestion, nameOf, namesOf } from './message-words.ts';
import { canBeChosen, chosenAfter, membersOf, recipientChoices, typedTopic } from './recipient-choices.ts';
import { SpanSelect } from './span-select.tsx';
import { mentionsIn } from './text-parts.ts';
import { useDraft } from './use-draft.ts';
import { useTopics } from './use-topics.ts';
import { useUploads } from './use-uploads.ts';

/** What a screen may ask of its composer. */
export interface ComposerHandle {
  readonly focus: () => void;
  /** Chooses recipients of a new message; an answer that is being written is given up for it (`onAnswered` is not called). */
  readonly address: (to: readonly string[]) => void;
  /** Gives a message back that was not sent: what it answers is to be answered then (`onAnswered` is not called). */
  readonly giveBack: (message: OutgoingMessage) => void;
}

interface ComposerProps {
  /** Tells the drafts of screens apart. */
  readonly screen: string;
  /** The one agent that this screen is about: new messages go to it. */
  readonly agentId?: string | undefined;
  /** The message that is being answered. */
  readonly answered: Answered | undefined;
  /** The answer was sent, or is not given. */
  readonly onAnswered: () => void;
  readonly ref?: Ref<ComposerHandle>;
}

const KIND_OPTIONS = WRITTEN_KINDS.map((value) => ({ value, text: value }));
const PRIORITY_OPTIONS = PRIORITIES.map((value) => ({ value, text: value }));

/** Writes a message, and keeps what is written until it is sent. */
export function Composer({ screen, agentId, answered, onAnswered, ref }: ComposerProps): ReactNode {
  const { messages } = useSession();
  const crew = useWindowState((state) => state.crew.agents);
  const inbox = useWindowState((state) => state.inbox);
  const known = useWindowState((state) => state.answered);
  const agents = useAgents();
  const project = useProject();
  const [newestProject] = useProjects();
  const { draft, change, replace, changeAt } = useDraft(screen, answered, agentId === undefined ? [] : [agentId]);
  const field = useRef<HTMLTextAreaElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  useToastClearance(form);
  const names = useMemo(() => agents.map(({ id }) => id as string), [agents]);
  const isName = useMemo(() => {
    const known = new Set(names);
    return (name: string): boolean => known.has(name);
  }, [names]);

  const fixed = answered?.to ?? (agentId === undefined ? undefined : [agentId]);
  const mentioned = mentionsIn(draft.text, isName);
  const chosen = (fixed ?? draft.to).filter((id) => fixed !== undefined || canBeChosen(id, (name) => Object.hasOwn(crew, name)));
  const everybody = chosen.includes(BROADCAST);
  const to = everybody ? [BROADCAST] : [...new Set([...chosen, ...mentioned])];
  const text = draft.text.trim();
  const uploads = useUploads(project?.id ?? newestProject?.id, (file, of) =>
    changeAt(of, (written) => ({ files: joinedFiles(written.files, [file]) })),
  );
  const onTheirWay = uploads.all.filter(({ problem }) => problem === undefined).length;
  const room = MAX_ATTACHMENTS - draft.files.length - onTheirWay;
  const missing =
    to.length === 0
      ? 'Choose who gets it.'
      : text === ''
        ? 'Write something to send.'
        : onTheirWay > 0
          ? 'Wait until its files are stored, or leave them out.'
          : undefined;
  const attach = (chosenFiles: readonly File[]): void => {
    uploads.add(chosenFiles.slice(0, Math.max(0, room)), answered);
    if (chosenFiles.length > room) showToast({ title: `A message has at most ${MAX_ATTACHMENTS} files.`, tone: 'failed' });
    field.current?.focus();
  };
  const topics = useTopics().answer?.topics;
  const options = useMemo(() => recipientChoices(agents, topics ?? [], draft.to), [agents, topics, draft.to]);
  const isAnswerable = answered === undefined && draft.kind !== 'note';
  const replyWithinMs = isAnswerable ? draft.replyWithinMs : null;

  // Who begins an answer wants to write it.
  const answeredId = answered?.id;
  const wasAnswering = useRef(answeredId);
  useEffect(() => {
    if (answeredId !== undefined && wasAnswering.current !== answeredId) field.current?.focus();
    wasAnswering.current = answeredId;
  }, [answeredId]);

  useImperativeHandle(ref, () => ({
    focus: () => field.current?.focus(),
    address: (ids) => {
      changeAt(undefined, () => ({ to: [...ids] }));
      field.current?.focus();
    },
    giveBack: (lost) => {
      changeAt(answeredOf(lost), (written) => givenBack(written, lost));
      field.current?.focus();
    },
  }));

  const submit = (): void => {
    if (missing !== undefined) {
      field.current?.focus();
      return;
    }
    const subject = draft.subject?.trim() === '' ? null : (draft.subject?.trim() ?? null);
    const written: WrittenMessage = {
      key: draft.key,
      to: addressesOf(to),
      body: text,
      kind: answered === undefined ? draft.kind : 'reply',
      priority: draft.priority,
      subject,
      data: null,
      ttlMs: draft.ttlMs,
      inReplyTo: answered?.id ?? null,
      delayMs: draft.delayMs,
      replyWithinMs,
      projectId: to.some((address) => address === BROADCAST || address.includes(':'))
        ? (project?.id ?? newestProject?.id ?? null)
        : null,
      answered: answered ?? null,
      files: draft.files,
    };
    // Who has the answer already gets this as well.
    const question = inbox.find((message) => message.id === answered?.id && isQuestion(message) && !known.has(message.id));
    // The outbox shows what becomes of it, and keeps it until the core has it.
    messages.outbox.send(question === undefined ? written : theAnswer(question, written)).catch(() => undefined);
    replace(nextDraft(draft));
    if (answered !== undefined) onAnswered();
  };

  return (
    <form
      ref={form}
      aria-label="Write a message"
      className="@container relative flex-none border-t border-hair bg-bg-1 px-4 pt-2.5 pb-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="mb-2 flex min-w-0 flex-wrap items-center gap-1.5">
        {answered === undefined ? null : <Answering answered={answered} onCancel={onAnswered} />}
        {fixed === undefined ? (
          <MultiCombobox
            label="To"
            values={to}
            options={options}
            placeholder="nobody yet"
            className="h-6! max-w-80!"
            offer={typedTopic}
            onChange={(values) => change({ to: chosenAfter(to, values).filter((id) => !mentioned.includes(id)) })}
          />
        ) : answered === undefined ? (
          <span className="inline-flex h-6 min-w-0 items-center gap-1.5 text-12 text-tx-3">
            To <span className="truncate font-medium text-tx-1">{namesOf(to)}</span>
          </span>
        ) : null}
        {answered === undefined ? (
          <Select label="Kind" value={draft.kind} options={KIND_OPTIONS} className="h-6!" onChange={(kind) => change({ kind })} />
        ) : null}
        <Select
          label="Priority"
          value={draft.priority}
          options={PRIORITY_OPTIONS}
          className="h-6!"
          onChange={(priority) => change({ priority })}
        />
        <SpanSelect
          label="Expires"
          none="never"
          customLabel="Minutes until it expires"
          most={MAX_TTL_MS}
          value={draft.ttlMs}
          onChange={(ttlMs) => change({ ttlMs })}
        />
        <SpanSelect
          label="Deliver"
          none="now"
          before="in "
          customLabel="Minutes until it is delivered"
          most={MAX_DELAY_MS}
          value={draft.delayMs}
          onChange={(delayMs) => change({ delayMs })}
        />
        {isAnswerable ? (
          <SpanSelect
            label="Answer within"
            none="no limit"
            customLabel="Minutes until an answer is wanted"
            most={MAX_DELAY_MS}
            value={draft.replyWithinMs}
            onChange={(within) => change({ replyWithinMs: within })}
          />
        ) : null}
        {draft.subject === undefined && answered === undefined ? (
          <Button size="small" look="quiet" onClick={() => change({ subject: '' })}>
            Add a subject
          </Button>
        ) : null}
      </div>
      {draft.subject === undefined ? null : (
        <div className="mb-1.5 flex items-center gap-1">
          <input
            aria-label="Subject"
            placeholder="Subject"
            maxLength={200}
            value={draft.subject}
            onChange={(event) => change({ subject: event.target.value })}
            className="h-7 min-w-0 flex-1 rounded-2 border border-hair-strong bg-field-bg px-2.5 font-medium placeholder:font-regular placeholder:text-tx-3"
          />
          <IconButton
            label="Leave the subject out"
            icon={<X aria-hidden className="size-3.5" />}
            onClick={() => change({ subject: undefined })}
          />
        </div>
      )}
      <FileDrop onDrop={attach} />
      <DraftFiles
        files={draft.files}
        uploads={uploads.all}
        onRemove={({ attachmentId }) => {
          change({ files: draft.files.filter((file) => file.attachmentId !== attachmentId) });
          field.current?.focus();
        }}
        onGiveUp={({ id }) => {
          uploads.remove(id);
          field.current?.focus();
        }}
      />
      <DraftField
        ref={field}
        onFiles={attach}
        value={draft.text}
        onChange={(written) => change({ text: written })}
        onSubmit={submit}
        placeholder={answered === undefined ? 'Write a message. @name adds somebody.' : `Your answer to ${nameOf(answered.from)}`}
        names={names}
        isName={isName}
      />
      <div className="mt-2 flex items-center gap-2 text-12 text-tx-3">
        <span className="line-clamp-2 min-w-0 flex-1">
          {onTheirWay > 0 ? 'It can be sent once its files are stored. ' : ''}
          {deliveryPromise({
            to,
            agents: crew,
            everyone: agents.length,
            ttlMs: draft.ttlMs,
            delayMs: draft.delayMs,
            replyWithinMs,
            membersOf: (address) => membersOf(address, agents, topics ?? []),
          })}
        </span>
        {isWritten(draft) ? <span className="hidden flex-none @md:inline">Draft kept</span> : null}
        <input
          ref={chooser}
          type="file"
          multiple
          hidden
          aria-label="Files to attach"
          onChange={({ currentTarget }) => {
            attach([...(currentTarget.files ?? [])]);
            // The same file can be chosen again.
            currentTarget.value = '';
          }}
        />
        <IconButton
          label={`Attach files, up to ${sizeText(MAX_UPLOAD_BYTES)} each`}
          icon={<Paperclip aria-hidden className="size-4" />}
          disabled={room <= 0}
          onClick={() => chooser.current?.click()}
        />
        <Button type="submit" look="ink" disabled={missing !== undefined} title={missing}>
          Send <KeyHint>ctrl+enter</KeyHint>
        </Button>
      </div>
    </form>
  );
}

/** An open question has one answer, wherever it is given; what was chosen here beside the text goes with it. */
function theAnswer(question: Message, written: WrittenMessage): WrittenMessage {
  const { priority, subject, ttlMs, delayMs, to, files } = written;
  return {
    ...answerTo(question, written.body),
    subject,
    ttlMs,
    delayMs,
    to,
    files,
    ...(priority === 'normal' ? {} : { priority }),
  };
}

function Answering({ answered, onCancel }: { readonly answered: Answered; readonly onCancel: () => void }): ReactNode {
  return (
    <span className="flex h-6 min-w-0 flex-[1_1_16rem] items-center gap-1.5 text-12 text-tx-3">
      <CornerDownRight aria-hidden className="size-3 flex-none" />
      <span className="min-w-0 truncate">
        Reply to <strong className="font-medium text-tx-1">{nameOf(answered.from)}</strong>
        {answered.from === 'operator' ? ` (to ${namesOf(answered.to)})` : ''}: {visibleText(answered.excerpt)}
      </span>
      <IconButton label="Do not reply" size="small" icon={<X aria-hidden className="size-3.5" />} onClick={onCancel} />
    </span>
  );
}
