import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import type { Message } from '#shared/messages/model.ts';
import { Composer } from './composer.tsx';
import type { Drafts } from './draft.ts';
import { newDraft } from './draft.ts';
import { MessageTimeline } from './message-timeline.tsx';

/** Where the draft of a message that answers none is kept. */
const NEW_MESSAGE = 'new';

interface MessagesPanelProps {
  readonly agentIds: readonly string[];
  readonly preferredId: string | undefined;
}

/** What is said, and where the operator says something. */
export function MessagesPanel({ agentIds, preferredId }: MessagesPanelProps): ReactNode {
  const session = useSession();
  const feed = useWindowState((state) => state.feed);
  const inbox = useWindowState((state) => state.inbox);
  const acknowledge = useCommand();
  const [answers, setAnswers] = useState<Message>();
  const [drafts, setDrafts] = useState<Drafts>(() => ({ [NEW_MESSAGE]: newDraft() }));
  const place = answers?.id ?? NEW_MESSAGE;
  const draft = drafts[place];
  return (
    <section aria-label="Messages" className="flex min-h-0 min-w-0 flex-col border-l border-hair">
      <div className="flex h-9 flex-none items-center gap-2 border-b border-hair bg-bg-1 px-4">
        <h2 className="text-13 font-strong">Messages</h2>
        {inbox.length > 0 ? (
          <>
            <span className="text-12 text-tx-3">
              <span className="figures">{inbox.length}</span> unread for you
            </span>
            <Button
              size="small"
              look="quiet"
              className="ml-auto"
              disabled={acknowledge.isRunning}
              onClick={() => acknowledge.run(() => session.acknowledge(inbox.map(({ id }) => id)))}
            >
              Mark all as read
            </Button>
          </>
        ) : null}
      </div>
      {acknowledge.problem === undefined ? null : (
        <Notice title="Nothing was marked as read." detail={acknowledge.problem}>
          <Button size="small" onClick={acknowledge.dismiss}>
            Dismiss
          </Button>
        </Notice>
      )}
      <MessageTimeline
        feed={feed}
        inbox={inbox}
        onReply={(message) => {
          setAnswers(message);
          setDrafts((all) => ({ [message.id]: newDraft(), ...all }));
        }}
        onAcknowledge={({ id }) => acknowledge.run(() => session.acknowledge([id]))}
      />
      {agentIds.length === 0 || draft === undefined ? null : (
        <Composer
          key={place}
          draft={draft}
          onDraft={(changed) => setDrafts((all) => ({ ...all, [place]: changed }))}
          agentIds={agentIds}
          preferredId={preferredId}
          answers={answers}
          onAnswerDone={() => setAnswers(undefined)}
        />
      )}
    </section>
  );
}
