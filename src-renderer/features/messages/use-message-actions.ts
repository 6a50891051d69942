import { useCallback, useMemo, useState } from 'react';
import { pathOf } from '#renderer/navigation/routes.ts';
import { answerTo } from '#renderer/store/answer.ts';
import { useAgents } from '#renderer/store/project-scope.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import type { TimelineFeed } from '#renderer/store/timeline-feed.ts';
import { problemOf } from '#renderer/store/use-command.ts';
import { showToast } from '#renderer/ui/toast.tsx';
import { MessageId } from '#shared/kernel/ids.ts';
import type { Message } from '#shared/messages/model.ts';
import type { MessageActions } from './message-actions.ts';
import { namesOf } from './message-words.ts';

/** What a screen does itself when something is done with a message. */
interface ScreenActions {
  readonly select: (messageId: string) => void;
  readonly reply: (message: Message) => void;
  readonly showThread: (message: Message) => void;
}

/** What can be done with messages, and what of them is unfolded. */
export function useMessageActions(
  feed: TimelineFeed,
  { select, reply, showThread }: ScreenActions,
): { readonly actions: MessageActions; readonly unfolded: ReadonlySet<string> } {
  const session = useSession();
  const agents = useAgents();
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const names = useMemo(() => new Set<string>(agents.map(({ id }) => id)), [agents]);
  const isName = useCallback((name: string) => names.has(name), [names]);
  const actions = useMemo(
    (): MessageActions => ({
      select: ({ id }) => select(id),
      reply,
      showThread,
      isName,
      show: (id) => {
        const parsed = MessageId.safeParse(id);
        if (!parsed.success) return;
        select(id);
        feed.showMessage(parsed.data).catch(() => undefined);
      },
      // The outbox shows what becomes of the answer.
      answer: (message, option) => void session.messages.outbox.send(answerTo(message, option)).catch(() => undefined),
      markRead: ({ id }) =>
        void session
          .acknowledge([id])
          .catch((error: unknown) =>
            showToast({ title: 'The message was not marked as read.', detail: problemOf(error), tone: 'failed' }),
          ),
      cancel: ({ id }) =>
        void Promise.resolve()
          .then(() => session.client.messages.cancel({ id }))
          .then(({ cancelled, acknowledged }) => showToast({ title: takenBack(cancelled, acknowledged) }))
          .catch((error: unknown) =>
            showToast({ title: 'The message was not taken back.', detail: problemOf(error), tone: 'failed' }),
          ),
      retry: ({ id }, recipients) =>
        void Promise.resolve()
          .then(() => session.client.messages.retry({ id, ...(recipients === undefined ? {} : { recipients: [...recipients] }) }))
          .then(({ retried }) =>
            showToast({
              title: retried.length === 0 ? 'It was delivered again before.' : `Queued again for ${namesOf(retried)}.`,
            }),
          )
          .catch((error: unknown) =>
            showToast({ title: 'The message was not delivered again.', detail: problemOf(error), tone: 'failed' }),
          ),
      copyLink: ({ id }) =>
        void navigator.clipboard.writeText(`${location.origin}${pathOf({ page: 'messages', messageId: id })}`).then(
          () => showToast({ title: 'Link copied.' }),
          () => showToast({ title: 'The browser does not allow to copy.', tone: 'failed' }),
        ),
      toggle: (id, part) =>
        setUnfolded((all) => {
          const key = `${id} ${part}`;
          const next = new Set(all);
          if (!next.delete(key)) next.add(key);
          return next;
        }),
    }),
    [feed, session, select, reply, showThread, isName],
  );
  return { actions, unfolded };
}

/** What became of taking a message back. */
function takenBack(cancelled: readonly string[], acknowledged: readonly string[]): string {
  const late = acknowledged.length === 0 ? '' : ` ${namesOf(acknowledged)} had dealt with it before.`;
  return cancelled.length === 0 ? `Nothing was left to take back.${late}` : `Taken back from ${namesOf(cancelled)}.${late}`;
}
