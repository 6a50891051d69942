import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { TimelineFeed } from '#renderer/store/timeline-feed.ts';
import { useTimeline } from '#renderer/store/use-messages.ts';
import { CopyButton } from '#renderer/ui/copy-button.tsx';
import { clockTime } from '#renderer/ui/format-time.ts';
import { reachableScroller } from '#renderer/ui/reachable-scroller.ts';
import { TabPanel, Tabs } from '#renderer/ui/tabs.tsx';
import type { Message } from '#shared/messages/model.ts';
import { DeliveryDetails, MessageFacts, shortId } from './delivery-facts.tsx';
import { Inboxes } from './inboxes.tsx';
import type { MessageActions } from './message-actions.ts';
import { QueueInspector } from './queue-inspector.tsx';
import { SequenceDiagram } from './sequence-diagram.tsx';

const TABS = [
  { value: 'sequence', text: 'Sequence' },
  { value: 'delivery', text: 'Delivery' },
  { value: 'raw', text: 'Raw' },
] as const;
type Tab = (typeof TABS)[number]['value'];

/** So many messages are drawn at most: more cannot be told apart. */
const DRAWN = 24;
/** A message that nobody answered is drawn with so many after it. */
const DRAWN_AFTER = 8;

interface SidePanelProps {
  readonly feed: TimelineFeed;
  readonly selectedId: string | undefined;
  readonly inView: readonly Message[];
  readonly markOf: (participant: string) => ReactNode;
  readonly actions: MessageActions;
  readonly onSelectInbox: (participant: string) => void;
  /** Whose queue is shown in the place of the selected message; '' is nobody's. */
  readonly queueOf: string;
  readonly onCloseQueue: () => void;
  readonly onShowDead: (participant: string) => void;
}

/** What belongs to the selected message: its thread as a diagram, its way, itself as it is stored; and all inboxes. */
export function SidePanel(props: SidePanelProps): ReactNode {
  const { queueOf, markOf, onSelectInbox } = props;
  return (
    <aside aria-label="About the selected message" className="flex h-full min-h-0 min-w-0 flex-col bg-bg-0">
      {queueOf === '' ? (
        <AboutMessage {...props} />
      ) : (
        <QueueInspector
          key={queueOf}
          recipient={queueOf}
          actions={props.actions}
          onClose={props.onCloseQueue}
          onShowDead={() => props.onShowDead(queueOf)}
        />
      )}
      <Inboxes markOf={markOf} queueOf={queueOf} onSelect={onSelectInbox} />
    </aside>
  );
}

function AboutMessage({ feed, selectedId, inView, actions }: SidePanelProps): ReactNode {
  const [tab, setTab] = useState<Tab>('sequence');
  const messages = useTimeline(feed, (state) => state.messages);
  const deliveries = useTimeline(feed, (state) => state.deliveries);
  const selected = messages.find(({ id }) => id === selectedId);
  const drawn = useMemo(() => drawnOf(messages, selected, inView), [messages, selected, inView]);
  const copies = selected === undefined ? undefined : deliveries[selected.id];
  const repliedAt = selected && messages.find(({ kind, inReplyTo }) => kind === 'reply' && inReplyTo === selected.id)?.sentAt;
  const raw = useMemo(
    () => (selected === undefined ? '' : JSON.stringify({ ...selected, deliveries: Object.values(copies ?? {}) }, null, 2)),
    [selected, copies],
  );
  return (
    <>
      <div className="flex h-9 flex-none items-center gap-3 border-b border-hair px-4">
        <div className="min-w-0 flex-1">
          <Tabs label="About the selected message" group="message" value={tab} tabs={TABS} onChange={setTab} />
        </div>
        <span className="flex-none pr-7 text-12 text-tx-3 wide:pr-0">{tab === 'sequence' ? drawn.words : ''}</span>
      </div>
      <div ref={reachableScroller} className="relative min-h-0 flex-[1_1_50%] overflow-y-auto">
        <TabPanel group="message" value="sequence" current={tab}>
          <div className="px-4 py-3">
            {drawn.messages.length === 0 ? (
              <p className="text-12 text-tx-3">Nothing to draw yet.</p>
            ) : (
              <SequenceDiagram
                messages={drawn.messages}
                deliveries={deliveries}
                selectedId={selectedId}
                onSelect={actions.select}
              />
            )}
          </div>
          {selected === undefined ? null : (
            <section className="border-t border-hair px-4 py-3">
              <h2 className="mb-1 flex justify-between text-12 font-strong">
                Selected message <span className="font-code text-12 font-regular text-tx-3">{shortId(selected.id)}</span>
              </h2>
              <MessageFacts message={selected} copies={copies} repliedAt={repliedAt} />
            </section>
          )}
        </TabPanel>
        <TabPanel group="message" value="delivery" current={tab} className="px-4 py-3">
          {selected === undefined ? (
            <NoneSelected />
          ) : (
            <DeliveryDetails
              message={selected}
              copies={copies}
              repliedAt={repliedAt}
              onCancel={() => actions.cancel(selected)}
              onRetry={(recipient) => actions.retry(selected, [recipient])}
            />
          )}
        </TabPanel>
        <TabPanel group="message" value="raw" current={tab} className="px-4 py-3">
          {selected === undefined ? (
            <NoneSelected />
          ) : (
            <>
              <CopyButton text={raw} label="Copy JSON" size="small" />
              <pre className="font-code mt-2 text-12 leading-[18px] [overflow-wrap:anywhere] whitespace-pre-wrap text-tx-2">
                {raw}
              </pre>
            </>
          )}
        </TabPanel>
      </div>
    </>
  );
}

function NoneSelected(): ReactNode {
  return <p className="text-12 text-tx-3">Select a message: click it, or go through them with j and k.</p>;
}

/** What is drawn: the thread of the selected message, or it and what followed; without one, what is in sight. */
function drawnOf(
  messages: readonly Message[],
  selected: Message | undefined,
  inView: readonly Message[],
): { readonly messages: readonly Message[]; readonly words: string } {
  if (selected === undefined) return { messages: inView.slice(-DRAWN), words: 'what is in sight' };
  const thread = messages.filter(({ threadId }) => threadId === selected.threadId);
  if (thread.length > 1) {
    const words = `thread of ${thread.length}`;
    return { messages: around(thread, selected, DRAWN), words };
  }
  const at = messages.indexOf(selected);
  return {
    messages: messages.slice(at, at + 1 + DRAWN_AFTER),
    words: `from ${clockTime(selected.sentAt).slice(0, 5)} on`,
  };
}

function around(thread: readonly Message[], selected: Message, most: number): readonly Message[] {
  const start = Math.max(0, Math.min(thread.indexOf(selected) - most / 2, thread.length - most));
  return thread.slice(start, start + most);
}
