import type { Message } from '#shared/messages/model.ts';

/** What can be done with a message. One object for all rows, that stays the same. */
export interface MessageActions {
  readonly select: (message: Message) => void;
  readonly reply: (message: Message) => void;
  readonly answer: (message: Message, option: string) => void;
  readonly markRead: (message: Message) => void;
  /** Takes it back from those who have not acknowledged it. */
  readonly cancel: (message: Message) => void;
  /** Delivers dead copies again: those of some recipients, or all. */
  readonly retry: (message: Message, recipients?: readonly string[]) => void;
  readonly showThread: (message: Message) => void;
  readonly copyLink: (message: Message) => void;
  readonly show: (messageId: string) => void;
  readonly toggle: (messageId: string, part: 'text' | 'data') => void;
  readonly isName: (name: string) => boolean;
}
