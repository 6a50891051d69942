import { Link as LinkIcon, MessageSquareQuote, Reply } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '#renderer/ui/button.tsx';
import type { Message } from '#shared/messages/model.ts';
import type { MessageActions } from './message-actions.ts';

interface RowToolsProps {
  readonly message: Message;
  readonly actions: MessageActions;
  readonly isSelected: boolean;
}

/** For the pointer; the keys r and t do the same. Not in the tab order, so that tabbing goes from message to message. */
export function RowTools({ message, actions, isSelected }: RowToolsProps): ReactNode {
  return (
    <div
      onClick={(event) => event.stopPropagation()}
      className={`absolute -top-1 right-0 rounded-2 border border-hair bg-bg-1 group-hover/row:flex ${isSelected ? 'flex' : 'hidden'}`}
    >
      <IconButton
        label="Reply"
        shortcut="r"
        size="small"
        tabIndex={-1}
        icon={<Reply aria-hidden className="size-3.5" />}
        onClick={() => actions.reply(message)}
      />
      <IconButton
        label="Show the thread"
        shortcut="t"
        size="small"
        tabIndex={-1}
        icon={<MessageSquareQuote aria-hidden className="size-3.5" />}
        onClick={() => actions.showThread(message)}
      />
      <IconButton
        label="Copy a link to this message"
        size="small"
        tabIndex={-1}
        icon={<LinkIcon aria-hidden className="size-3.5" />}
        onClick={() => actions.copyLink(message)}
      />
    </div>
  );
}
