import { useLayoutEffect, useRef, useState } from 'react';
import type { ReactNode, RefObject } from 'react';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { Button } from '#renderer/ui/button.tsx';
import { fullTime } from '#renderer/ui/format-time.ts';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { MessageId } from '#shared/kernel/ids.ts';
import { MAX_BODY_CHARS } from '#shared/messages/model.ts';
import type { FleetQuestion } from './fleet-agent.ts';
import { partsOf } from './question-answers.ts';
import { ANSWER_WAITS, useAnswer } from './use-answer.ts';
import { useSettled } from './use-settled.ts';

interface AskStripProps {
  readonly agentId: string;
  readonly question: FleetQuestion;
  /** 0 or -1, as the card's own link: a card whose turn it is lets Tab go on into it. */
  readonly tabIndex: number;
}

/**
 * The question of an agent, and its answer in place. A question that does not fit whole is never answered by a button
 * here: it is opened and read.
 */
export function AskStrip({ agentId, question, tabIndex }: AskStripProps): ReactNode {
  const { text, wasBegun, write, state, problem, send } = useAnswer(MessageId.parse(question.messageId));
  const [isReplying, setReplying] = useState(wasBegun);
  // A card that comes into sight with an answer that was begun must not take the focus from where it is.
  const [isAsked, setAsked] = useState(false);
  const { box, isCut } = useIsCut(question.body);
  const field = useRef<HTMLInputElement>(null);
  const replyButton = useRef<HTMLButtonElement>(null);

  const read = (): void => goTo({ page: 'messages', messageId: question.messageId });
  const isGiven = state !== 'open';
  const isSettled = useSettled(agentId, question.messageId);
  const stopReplying = (): void => {
    setReplying(false);
    requestAnimationFrame(() => replyButton.current?.focus());
  };

  return (
    <section
      aria-label={`Question of ${agentId}`}
      className="relative z-1 flex flex-none flex-col gap-1 border-b border-hair bg-needs-bg px-3 pt-[7px] pb-2 text-12"
    >
      <p
        ref={box}
        title={visibleText(question.body)}
        className="line-clamp-3 min-h-4 leading-4 break-words whitespace-pre-line text-tx-1"
      >
        <QuestionText text={question.body.trim()} />
      </p>
      {problem === undefined ? null : (
        <p role="alert" className="line-clamp-2 text-st-failed" title={problem}>
          {problem}
        </p>
      )}
      {isReplying && (state === 'open' || state === 'sending') ? (
        <form
          className="flex items-center gap-1.5"
          onSubmit={(event) => {
            event.preventDefault();
            send(text);
          }}
        >
          <input
            ref={field}
            aria-label={`Reply to ${agentId}`}
            // Who presses Reply wants to write.
            autoFocus={isAsked}
            autoComplete="off"
            maxLength={MAX_BODY_CHARS}
            value={text}
            placeholder="Your answer"
            onChange={(event) => write(event.target.value)}
            onKeyDown={(event) => {
              event.stopPropagation();
              if (event.key === 'Escape') stopReplying();
            }}
            className="h-6 min-w-0 flex-1 rounded-2 border border-needs-line bg-field-bg px-2 text-12 text-tx-1 placeholder:text-tx-3"
          />
          <Button type="submit" size="small" look="ink" disabled={text.trim() === '' || isGiven}>
            {state === 'sending' ? 'Sending' : 'Send'}
          </Button>
          <Button size="small" look="quiet" onClick={stopReplying}>
            Cancel
          </Button>
        </form>
      ) : (
        <div className="flex min-h-6 min-w-0 items-start gap-2">
          <div className="flex min-w-0 flex-1 flex-wrap items-center gap-1.5">
            {state === 'sent' || state === 'waiting' ? (
              <span role="status" className="min-w-0 text-tx-2">
                {state === 'sent' ? 'Answered' : ANSWER_WAITS}
              </span>
            ) : isCut ? (
              <Button size="small" look="ink" tabIndex={tabIndex} data-reply="" onClick={read}>
                Read and answer
              </Button>
            ) : (
              <>
                {question.answers.map((each, index) => (
                  <Button
                    key={each}
                    size="small"
                    look={index === 0 ? 'ink' : 'outline'}
                    tabIndex={tabIndex}
                    disabled={isGiven || !isSettled}
                    onClick={() => send(each)}
                  >
                    {visibleText(each)}
                  </Button>
                ))}
                <Button
                  ref={replyButton}
                  size="small"
                  look={question.answers.length === 0 ? 'ink' : 'quiet'}
                  tabIndex={tabIndex}
                  disabled={isGiven}
                  data-reply=""
                  onClick={() => {
                    setAsked(true);
                    setReplying(true);
                  }}
                >
                  Reply
                </Button>
              </>
            )}
          </div>
          <Age question={question} />
        </div>
      )}
    </section>
  );
}

/** A text as it was written, with what stands between backticks in the code face, without ligatures. */
export function QuestionText({ text }: { readonly text: string }): ReactNode {
  return partsOf(text).map((part, index) =>
    part.isCode ? (
      // The parts have no other name than their place.
      <code key={index} className="font-code">
        {visibleText(part.text)}
      </code>
    ) : (
      visibleText(part.text)
    ),
  );
}

/** How old it is, or how long it still matters. */
function Age({ question }: { readonly question: FleetQuestion }): ReactNode {
  const now = useNow(10_000);
  const more = question.more === 0 ? '' : `${question.more} more · `;
  if (question.expiresAt === null) {
    return (
      <span className="flex-none leading-6 whitespace-nowrap text-tx-2">
        {more}
        <RelativeTime at={question.at} />
      </span>
    );
  }
  const minutes = Math.max(1, Math.round((question.expiresAt - now) / 60_000));
  const left = minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
  return (
    <time
      dateTime={new Date(question.expiresAt).toISOString()}
      title={fullTime(question.expiresAt)}
      className="flex-none leading-6 whitespace-nowrap text-tx-2"
    >
      {more}expires in {left}
    </time>
  );
}

/** Whether a clamped text is cut where it stands now. */
function useIsCut(text: string): { readonly box: RefObject<HTMLParagraphElement | null>; readonly isCut: boolean } {
  const box = useRef<HTMLParagraphElement>(null);
  const [isCut, setCut] = useState(false);
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const measure = (): void => setCut(current.scrollHeight > current.clientHeight + 1);
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    measure();
    return () => observer.disconnect();
  }, [text]);
  return { box, isCut };
}

interface TroubleStripProps {
  readonly reason: string;
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  /** Undefined for one whose process is not ours. */
  readonly onRestart: (() => void) | undefined;
  readonly onOpen: () => void;
  readonly tabIndex: number;
}

/** Why an agent failed or was lost, and what to do. */
export function TroubleStrip({ reason, at, onRestart, onOpen, tabIndex }: TroubleStripProps): ReactNode {
  return (
    <div className="relative z-1 flex flex-none flex-col gap-1 border-y border-hair bg-bg-1 px-3 pt-1.5 pb-2 text-12">
      <p title={visibleText(reason)} className="truncate leading-4 text-tx-1">
        {visibleText(reason)}
      </p>
      <div className="flex h-6 items-center gap-1.5">
        {onRestart === undefined ? null : (
          <Button size="small" tabIndex={tabIndex} onClick={onRestart}>
            Restart
          </Button>
        )}
        <Button size="small" look="quiet" tabIndex={tabIndex} onClick={onOpen}>
          Open
        </Button>
        <RelativeTime at={at} className="ml-auto flex-none whitespace-nowrap text-tx-2" />
      </div>
    </div>
  );
}
