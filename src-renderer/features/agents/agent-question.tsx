import type { ReactNode } from 'react';
import { Link } from '#renderer/navigation/use-route.tsx';
import { Button } from '#renderer/ui/button.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { fullTime, shortDuration } from '#renderer/ui/format-time.ts';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import { TextArea } from '#renderer/ui/text-field.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import { MAX_BODY_CHARS } from '#shared/messages/model.ts';
import { answersOf, partsOf } from './question-answers.ts';
import { ANSWER_WAITS, useAnswer } from './use-answer.ts';
import { useSettled } from './use-settled.ts';

const MARK = { shape: 'triangle', tone: 'needs', word: 'Needs you' } as const;
const ENDED_MARK = { shape: 'ring', tone: 'stopped', word: 'Nobody waits' } as const;

interface AgentQuestionProps {
  readonly agentId: AgentId;
  /** The oldest question or task that waits; the one to answer first. */
  readonly message: InboxMessage;
  /** Whether the agent may wait for the answer. It does not when it has ended: then nothing is urgent here. */
  readonly isAwaited: boolean;
  /** How many wait behind it. */
  readonly more: number;
}

/** What an agent asks the operator, whole, and its answer in place. */
export function AgentQuestion({ agentId, message, isAwaited, more }: AgentQuestionProps): ReactNode {
  const { text, write, state, problem, send } = useAnswer(message.id);
  const answers = answersOf(message.data);
  const isGiven = state !== 'open';
  const isSettled = useSettled(agentId, message.id);
  return (
    <section
      aria-label={isAwaited ? 'Waiting for you' : 'Asked before it ended'}
      className={`border-b px-4 py-3 ${isAwaited ? 'border-needs-line bg-needs-bg' : 'border-hair'}`}
    >
      <h2 className="mb-1.5 flex items-center gap-2 text-13 font-strong">
        <StateMark look={isAwaited ? MARK : ENDED_MARK} />
        <span className="min-w-0 truncate">
          {visibleText(message.subject ?? '') || (message.kind === 'task' ? 'A task for you' : 'A question')}
        </span>
        <span className="ml-auto flex-none text-12 font-regular text-tx-2">
          {more === 0 ? '' : `${more} more · `}
          {message.expiresAt === null ? <RelativeTime at={message.sentAt} /> : <Expiry at={message.expiresAt} />}
        </span>
      </h2>
      <p
        // Longer ones scroll, so it must be reachable by keys.
        tabIndex={0}
        aria-label="What it asks"
        role="group"
        className="mb-2 max-h-60 overflow-y-auto text-13 leading-[18px] text-pretty break-words whitespace-pre-wrap text-tx-1"
      >
        {partsOf(message.body.trim()).map((part, index) =>
          part.isCode ? (
            // The parts have no other name than their place.
            <code key={index} className="font-code text-12">
              {visibleText(part.text)}
            </code>
          ) : (
            visibleText(part.text)
          ),
        )}
      </p>
      {isAwaited ? null : (
        <p className="mb-2 text-12 text-pretty text-tx-2">
          {agentId} has ended, so nobody waits for this. An answer stays in its inbox until it is started again.
        </p>
      )}
      {answers.length === 0 ? null : (
        <div className="mb-2 flex flex-wrap gap-1.5">
          {answers.map((each, index) => (
            <Button
              key={each}
              look={index === 0 && isAwaited ? 'ink' : 'outline'}
              disabled={isGiven || !isSettled}
              onClick={() => send(each)}
            >
              {visibleText(each)}
            </Button>
          ))}
        </div>
      )}
      <form
        className="flex flex-col gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          send(text);
        }}
      >
        <TextArea
          label={`Reply to ${agentId}`}
          isLabelHidden
          rows={2}
          value={text}
          onChange={write}
          maxLength={MAX_BODY_CHARS}
          placeholder="Your answer"
          error={problem}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            send(text);
          }}
        />
        <div className="flex items-center gap-2 text-12">
          <Button
            type="submit"
            look={answers.length === 0 && isAwaited ? 'ink' : 'outline'}
            disabled={text.trim() === '' || isGiven}
          >
            {state === 'sending' ? 'Sending' : 'Reply'}
            <KeyHint>Ctrl Enter</KeyHint>
          </Button>
          <span role="status" className="min-w-0 text-tx-2">
            {state === 'waiting' ? ANSWER_WAITS : ''}
          </span>
          <Link
            to={{ page: 'messages', messageId: message.id }}
            className="ml-auto flex-none rounded-1 text-tx-2 underline underline-offset-2 hover:text-tx-1"
          >
            See the conversation
          </Link>
        </div>
      </form>
    </section>
  );
}

/** How long the answer still matters. */
function Expiry({ at }: { readonly at: number }): ReactNode {
  const now = useNow(10_000);
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
      expires in {shortDuration(Math.max(0, at - now)).split(' ')[0]}
    </time>
  );
}
