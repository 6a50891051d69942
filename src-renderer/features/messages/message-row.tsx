import { ArrowRight, Braces, CornerDownRight, MessageSquareQuote } from 'lucide-react';
import { memo } from 'react';
import type { ReactNode } from 'react';
import type { Copies } from '#renderer/store/message-filter.ts';
import { clockTime, fullTime } from '#renderer/ui/format-time.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { AgentStatus } from '#shared/agents/model.ts';
import type { Message } from '#shared/messages/model.ts';
import { BROADCAST } from '#shared/messages/model.ts';
import { optionsOf } from '#shared/messages/question.ts';
import type { MessageActions } from './message-actions.ts';
import { Answers, DeadTools, Unread } from './message-answers.tsx';
import { MessageAttachments } from './message-attachments.tsx';
import { MessagePath } from './message-path.tsx';
import { RowTools } from './message-tools.tsx';
import type { DeliveryLook } from './message-words.ts';
import { deliveryLook, isQuestion, kindText, nameOf, namesOf, spanText } from './message-words.ts';
import { MessageText } from './message-text.tsx';
import { previewOf } from './text-parts.ts';

/** What a row shows. */
export interface MessageRowProps {
  readonly message: Message;
  readonly copies: Copies | undefined;
  readonly repliedAt: number | undefined;
  /** The message it answers, where that is loaded; its id alone where not. */
  readonly answered: Message | undefined;
  /** The row before is of the same thread. */
  readonly isJoined: boolean;
  /** It waits in the operator's inbox. */
  readonly isForYou: boolean;
  /** It is a question to the operator, and somebody waits for the answer. */
  readonly isAwaited: boolean;
  /** Of its sender when it is for the operator, else of its one recipient. */
  readonly status: AgentStatus | undefined;
  readonly isSelected: boolean;
  readonly isWhole: boolean;
  readonly isDataShown: boolean;
  /** An answer is on its way. */
  readonly isAnswering: boolean;
  readonly now: number;
  readonly actions: MessageActions;
}

/** One message: when, who to whom, what for, the text, and where its copies stand. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps): ReactNode {
  const { message, isForYou, isAwaited, isSelected, isJoined } = props;
  const look = deliveryLook(message, props.copies, props);
  const needsAnswer = isAwaited && !props.isAnswering;
  const isReply = message.inReplyTo !== null;
  const background = needsAnswer ? 'border-b border-needs-line bg-needs-bg' : isSelected ? 'bg-select' : 'hover:bg-bg-1';
  const edge =
    isReply && isJoined && !needsAnswer ? 'border-transparent pt-0.5' : needsAnswer ? 'pt-[7px]' : 'border-hair pt-[7px]';
  return (
    <div
      onClick={() => props.actions.select(message)}
      className={`group/row relative grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 border-t px-4 pb-2 @2xl:grid-cols-[60px_minmax(0,1fr)_204px] ${edge} ${background}`}
    >
      {isSelected ? <span aria-hidden className="absolute inset-y-0 left-0 w-0.5 bg-tx-1" /> : null}
      <time
        dateTime={new Date(message.sentAt).toISOString()}
        title={fullTime(message.sentAt)}
        className="figures order-2 text-12 leading-[18px] text-tx-3 @2xl:order-none"
      >
        {clockTime(message.sentAt)}
      </time>
      <div className={`relative order-1 min-w-0 @2xl:order-none ${isReply ? 'ml-0.5 border-l border-hair-strong pl-3' : ''}`}>
        <Route {...props} look={look} />
        <Body {...props} isStrong={needsAnswer || isForYou} />
        <Data {...props} />
        <MessageAttachments message={message} />
        {needsAnswer ? <Answers {...props} /> : isForYou ? <Unread {...props} /> : null}
        {look.tone === 'dead' ? <DeadTools {...props} /> : null}
        <RowTools {...props} />
      </div>
      <MessagePath look={look} />
    </div>
  );
});

function Route({
  message,
  repliedAt,
  answered,
  isJoined,
  isForYou,
  isAwaited,
  status,
  now,
  look,
  actions,
}: MessageRowProps & { readonly look: DeliveryLook }): ReactNode {
  const isPastQuestion = isForYou && !isAwaited && isQuestion(message);
  const isBroadcast = message.to.includes(BROADCAST);
  return (
    <>
      {message.inReplyTo !== null && !isJoined ? (
        <button
          type="button"
          onClick={(event) => {
            event.stopPropagation();
            actions.show(message.inReplyTo ?? '');
          }}
          className="flex max-w-full items-center gap-1 rounded-1 text-12 leading-[18px] text-tx-3 hover:text-tx-1"
        >
          <MessageSquareQuote aria-hidden className="size-3 flex-none" />
          <span className="truncate">
            {answered === undefined
              ? 'answers an earlier message'
              : `${nameOf(answered.from.id)}: ${visibleText(answered.subject ?? answered.body)}`}
          </span>
        </button>
      ) : null}
      <div className="flex items-center gap-1.5 overflow-hidden text-12 leading-[18px] whitespace-nowrap text-tx-3">
        {message.inReplyTo === null ? null : <CornerDownRight aria-hidden className="size-3 flex-none" />}
        <strong className="max-w-[24ch] flex-none truncate text-13 font-strong text-tx-1">{nameOf(message.from.id)}</strong>
        <ArrowRight role="img" aria-label="to" className="size-3 flex-none" />
        <strong className="min-w-0 truncate text-13 font-strong text-tx-1" title={message.to.map(nameOf).join(', ')}>
          {isBroadcast ? 'everyone' : namesOf(message.to)}
        </strong>
        {/* Gives way first: who says it to whom is what must be read. */}
        <span className="min-w-0 flex-[0_9999_auto] truncate">
          {isAwaited
            ? `question, waiting ${spanText(now - message.sentAt)}`
            : isPastQuestion
              ? `question, nobody waits: the agent ${status === undefined ? 'was removed' : `is ${status}`}`
              : kindText(message)}
          {message.replyBy === null || repliedAt !== undefined || look.tone === 'dead'
            ? null
            : `, answer by ${clockTime(message.replyBy).slice(0, 5)}`}
          {look.tone === 'dead' || message.expiresAt === null || look.icon === 'acknowledged'
            ? null
            : `, expires ${clockTime(message.expiresAt).slice(0, 5)}`}
        </span>
        {message.priority === 'normal' ? null : (
          <span
            className={`flex-none text-11 font-strong tracking-[0.03em] uppercase ${message.priority === 'low' ? 'text-tx-3' : 'text-tx-2'}`}
          >
            {message.priority}
          </span>
        )}
        {message.subject === null ? null : (
          <span className="min-w-0 shrink-[1000] truncate text-tx-2">{visibleText(message.subject)}</span>
        )}
      </div>
    </>
  );
}

function Body({ message, isWhole, isStrong, actions }: MessageRowProps & { readonly isStrong: boolean }): ReactNode {
  const text = message.body.trim();
  const preview = previewOf(text);
  return (
    <>
      <p
        className={`mt-px max-w-[74ch] leading-[18px] [overflow-wrap:anywhere] text-pretty whitespace-pre-wrap ${isStrong ? 'text-tx-1' : 'text-tx-2'}`}
      >
        <MessageText text={preview === undefined || isWhole ? text : preview} isName={actions.isName} />
      </p>
      {preview === undefined ? null : (
        <Fold isOpen={isWhole} onToggle={() => actions.toggle(message.id, 'text')}>
          {isWhole ? 'Show less' : `Show all ${text.length.toLocaleString('en-GB')} characters`}
        </Fold>
      )}
    </>
  );
}

function Data({ message, isAwaited, isDataShown, actions }: MessageRowProps): ReactNode {
  // What is offered as buttons need not be read as JSON; the panel has it raw.
  if (message.data === null || (isAwaited && optionsOf(message.data).length > 0)) return null;
  return (
    <>
      <Fold isOpen={isDataShown} onToggle={() => actions.toggle(message.id, 'data')}>
        <Braces aria-hidden className="size-3" />
        {isDataShown ? 'Hide data' : 'Data'}
      </Fold>
      {isDataShown ? (
        <pre
          // Scrolls, so it must be reachable by keys.
          tabIndex={0}
          aria-label="Data of this message"
          className="font-code my-1 max-h-60 overflow-auto rounded-2 border border-hair bg-well px-2.5 py-1.5 text-12 leading-[18px] text-t-fg"
        >
          {JSON.stringify(message.data, null, 2)}
        </pre>
      ) : null}
    </>
  );
}

interface FoldProps {
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly children: ReactNode;
}

function Fold({ isOpen, onToggle, children }: FoldProps): ReactNode {
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      onClick={(event) => {
        event.stopPropagation();
        onToggle();
      }}
      className="mt-0.5 mr-3 inline-flex min-h-6 items-center gap-1 rounded-1 text-12 text-tx-3 hover:text-tx-1"
    >
      {children}
    </button>
  );
}
