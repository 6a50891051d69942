/** What the operator does with a message in the inbox: answers a question in place, or puts it away. */
import type { MouseEvent, ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { Message } from '#shared/messages/model.ts';
import { optionsOf } from '#shared/messages/question.ts';
import type { MessageActions } from './message-actions.ts';

interface AnswersProps {
  readonly message: Message;
  readonly actions: MessageActions;
}

/**
 * Not the second click of a double click: by then the first has put other buttons under the pointer. Keys have no such count.
 */
function isFirstClick(event: MouseEvent): boolean {
  return event.detail < 2;
}

/** The answer is given in place: the options that the agent offers, else in words. */
export function Answers({ message, actions }: AnswersProps): ReactNode {
  const options = optionsOf(message.data);
  return (
    <div className="mt-1.5 flex flex-wrap gap-1.5" onClick={(event) => event.stopPropagation()}>
      {options.map((option, index) => (
        <Button
          key={option}
          size="small"
          look={index === 0 ? 'ink' : 'outline'}
          className={index === 0 ? '' : 'border-needs-line'}
          onClick={(event) => isFirstClick(event) && actions.answer(message, option)}
        >
          {visibleText(option)}
        </Button>
      ))}
      <Button
        size="small"
        look={options.length === 0 ? 'ink' : 'outline'}
        className={options.length === 0 ? '' : 'border-needs-line'}
        onClick={(event) => isFirstClick(event) && actions.reply(message)}
      >
        Reply <KeyHint>r</KeyHint>
      </Button>
      <Button
        size="small"
        look="quiet"
        className="text-tx-1"
        onClick={(event) => isFirstClick(event) && actions.markRead(message)}
      >
        Dismiss
      </Button>
    </div>
  );
}

/** A message that wants no answer, or none that anybody waits for. */
export function Unread({ message, actions }: AnswersProps): ReactNode {
  return (
    <div className="mt-1.5 flex flex-wrap gap-1.5" onClick={(event) => event.stopPropagation()}>
      <Button size="small" onClick={(event) => isFirstClick(event) && actions.reply(message)}>
        Reply
      </Button>
      <Button size="small" look="quiet" onClick={(event) => isFirstClick(event) && actions.markRead(message)}>
        Mark as read
      </Button>
    </div>
  );
}

/** A message that reached somebody not at all. */
export function DeadTools({ message, actions }: AnswersProps): ReactNode {
  return (
    <div className="mt-1.5 flex flex-wrap gap-1.5" onClick={(event) => event.stopPropagation()}>
      <Button size="small" onClick={(event) => isFirstClick(event) && actions.retry(message)}>
        Retry
      </Button>
    </div>
  );
}
