import { X } from 'lucide-react';
import { useState } from 'react';
import type { FormEvent, ReactNode } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { ErrorState } from '#renderer/ui/error-state.tsx';
import { agoText, fullTime } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import { VirtualList } from '#renderer/ui/virtual-list.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Subscription, Topic } from '#shared/topics/model.ts';
import { isCoreTopic } from '#shared/topics/model.ts';
import { nameOf } from './message-words.ts';
import { TimelineSkeleton } from './timeline-skeleton.tsx';
import { hasTopic, patternProblem, subscribersOf } from './topic-patterns.ts';
import { useTopicProject, useTopics } from './use-topics.ts';

/** Before a row is measured, in pixels. */
const ROW_PX = 66;
/** "3 min ago" is renewed so often, in milliseconds. */
const NOW_EVERY_MS = 10_000;
/** So many subscriptions are named in a row. */
const NAMED = 4;

interface TopicsViewProps {
  /** Shows what was said on a topic. */
  readonly onShow: (topic: string) => void;
  /** Writes to a topic. */
  readonly onWrite: (topic: string) => void;
}

/** Topics: what was published to each, and who gets it by which pattern; and what the operator subscribed to. */
export function TopicsView({ onShow, onWrite }: TopicsViewProps): ReactNode {
  const session = useSession();
  const projectId = useTopicProject();
  const isOnline = useWindowState((state) => state.status.kind === 'online');
  const { answer, problem, ask } = useTopics();
  const now = useNow(NOW_EVERY_MS);
  const command = useCommand();
  const change = (what: 'subscribe' | 'unsubscribe', pattern: string, onDone?: () => void): void => {
    if (projectId === undefined) return;
    command.run(async () => {
      await session.client.topics[what]({ patterns: [pattern], projectId });
      ask();
    }, onDone);
  };

  if (answer === undefined) {
    if (problem === undefined || !isOnline) return <TimelineSkeleton />;
    return (
      <div className="min-h-0 flex-1">
        <ErrorState title="The topics were not loaded" detail={problem} onRetry={ask} />
      </div>
    );
  }
  const own = answer.subscriptions.filter(({ subscriber }) => subscriber === OPERATOR);
  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      {command.problem === undefined ? null : (
        <Notice title="Your subscriptions were not changed." detail={command.problem}>
          <Button size="small" onClick={command.dismiss}>
            Dismiss
          </Button>
        </Notice>
      )}
      <Subscriptions
        own={own}
        isBusy={command.isRunning || projectId === undefined}
        onAdd={(pattern, onDone) => change('subscribe', pattern, onDone)}
        onRemove={(pattern) => change('unsubscribe', pattern)}
      />
      {answer.topics.length === 0 ? (
        <div className="min-h-0 flex-1 overflow-y-auto">
          <EmptyState title="Nothing was published yet">
            <p>
              A topic is there as soon as something is sent to it: write to <code className="font-code text-12">topic:</code> and
              a name, such as <code className="font-code text-12">health.api</code>. Whoever subscribed to it gets a copy.
            </p>
          </EmptyState>
        </div>
      ) : (
        <VirtualList
          label="Topics"
          items={answer.topics}
          keyOf={({ name }) => name}
          estimateHeight={ROW_PX}
          className="min-h-0 flex-1"
          renderItem={(topic) => (
            <TopicRow
              topic={topic}
              subscriptions={answer.subscriptions}
              ownPattern={own.find(({ pattern }) => hasTopic(pattern, topic.name))?.pattern}
              isExact={own.some(({ pattern }) => pattern === topic.name)}
              isBusy={command.isRunning}
              now={now}
              onShow={() => onShow(topic.name)}
              onWrite={() => onWrite(topic.name)}
              onSubscribe={() => change('subscribe', topic.name)}
              onUnsubscribe={() => change('unsubscribe', topic.name)}
            />
          )}
        />
      )}
      {answer.next === null ? null : (
        <p className="flex-none border-t border-hair px-4 py-2 text-12 text-tx-3">
          The first {answer.topics.length} topics by name are listed.
        </p>
      )}
    </div>
  );
}

interface SubscriptionsProps {
  readonly own: readonly Subscription[];
  readonly isBusy: boolean;
  readonly onAdd: (pattern: string, onDone: () => void) => void;
  readonly onRemove: (pattern: string) => void;
}

/** What the operator subscribed to, and the field for more. */
function Subscriptions({ own, isBusy, onAdd, onRemove }: SubscriptionsProps): ReactNode {
  const [typed, setTyped] = useState('');
  const [isTried, setTried] = useState(false);
  const pattern = typed.trim();
  const wrong = pattern === '' ? undefined : patternProblem(pattern);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (pattern === '' || wrong !== undefined) return;
    onAdd(pattern, () => {
      setTyped('');
      setTried(false);
    });
  };
  return (
    <section aria-label="Your subscriptions" className="flex-none border-b border-hair px-4 py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <div className="flex min-w-0 flex-wrap items-center gap-1.5">
          <h2 className="mr-1 text-12 font-strong">You are subscribed to</h2>
          {own.length === 0 ? <span className="text-12 text-tx-3">nothing</span> : null}
          <ul aria-label="Your patterns" className="contents">
            {own.map((each) => (
              <li
                key={each.pattern}
                className="inline-flex h-6 max-w-full items-center rounded-2 border border-hair-strong pl-2 text-12"
                title={`since ${fullTime(each.subscribedAt)}`}
              >
                <code className="font-code min-w-0 truncate">{each.pattern}</code>
                <IconButton
                  label={`Unsubscribe from ${each.pattern}`}
                  size="small"
                  disabled={isBusy}
                  icon={<X aria-hidden className="size-3.5" />}
                  onClick={() => onRemove(each.pattern)}
                />
              </li>
            ))}
          </ul>
        </div>
        <form onSubmit={submit} className="ml-auto flex max-w-full min-w-0 flex-[0_1_22rem] items-start gap-1.5">
          <TextField
            label="Pattern to subscribe to"
            isLabelHidden
            isCode
            placeholder="health.* or tasks.#"
            maxLength={128}
            value={typed}
            onChange={setTyped}
            error={isTried ? wrong : undefined}
            className="min-w-0 flex-1"
          />
          <Button type="submit" disabled={isBusy || pattern === ''}>
            Subscribe
          </Button>
        </form>
      </div>
      {/* Where the window is low, the room is for the topics. */}
      <p className="mt-1.5 text-12 text-tx-3 [@media(max-height:560px)]:hidden">
        In a pattern * stands for one word, # for none or more. What is published from then on comes to your inbox, once.
      </p>
    </section>
  );
}

interface TopicRowProps {
  readonly topic: Topic;
  readonly subscriptions: readonly Subscription[];
  /** One of the operator's patterns that has it; undefined when none has. */
  readonly ownPattern: string | undefined;
  /** One of them is its name. */
  readonly isExact: boolean;
  readonly isBusy: boolean;
  readonly now: number;
  readonly onShow: () => void;
  readonly onWrite: () => void;
  readonly onSubscribe: () => void;
  readonly onUnsubscribe: () => void;
}

function TopicRow(props: TopicRowProps): ReactNode {
  const { topic, subscriptions, ownPattern, isExact, isBusy, now } = props;
  const subscribers = subscribersOf(topic, subscriptions);
  const named = subscribers.slice(0, NAMED);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-x-4 gap-y-1 border-b border-hair px-4 py-2 text-12 leading-[18px] hover:bg-bg-1 @2xl:grid-cols-[minmax(0,1fr)_minmax(0,300px)]">
      <div className="min-w-0">
        <p className="flex items-baseline gap-2">
          <button
            type="button"
            onClick={props.onShow}
            title="Show what was said on it"
            className="font-code min-h-6 min-w-0 truncate rounded-1 text-left font-medium text-tx-1 underline-offset-2 hover:underline"
          >
            {topic.name}
          </button>
          <span className="flex-none text-tx-3">
            <span className="figures">{topic.messages.toLocaleString('en-GB')}</span> message{topic.messages === 1 ? '' : 's'}
            {isCoreTopic(topic.name) ? ', by Quarterdeck' : ''}
          </span>
          <span className="ml-auto flex-none text-tx-3" title={fullTime(topic.lastAt)}>
            {agoText(topic.lastAt, now)}
          </span>
        </p>
        <p className="truncate text-tx-2">
          {topic.last === null ? (
            <span className="text-tx-3">The last message is kept no more.</span>
          ) : (
            <>
              <span className="text-tx-3">{nameOf(topic.last.from)}: </span>
              {visibleText(topic.last.subject ?? topic.last.excerpt)}
            </>
          )}
        </p>
      </div>
      <div className="flex min-w-0 items-start gap-2">
        <p className="min-w-0 flex-1 pt-[3px] text-tx-3">
          {subscribers.length === 0 ? (
            'Nobody subscribed'
          ) : (
            <>
              {named.map(({ subscriber, patterns }, index) => (
                <span key={subscriber}>
                  {index === 0 ? '' : ', '}
                  <span className="text-tx-2">{nameOf(subscriber)}</span>
                  {patterns.length === 0 ? '' : ' by '}
                  <code className="font-code">{patterns.join(' ')}</code>
                </span>
              ))}
              {subscribers.length > named.length ? ` and ${subscribers.length - named.length} more` : ''}
            </>
          )}
        </p>
        <span className="flex flex-none gap-1">
          {isCoreTopic(topic.name) ? null : (
            <Button size="small" look="quiet" aria-label={`Write to ${topic.name}`} onClick={props.onWrite}>
              Write
            </Button>
          )}
          {ownPattern === undefined ? (
            <Button size="small" disabled={isBusy} aria-label={`Subscribe to ${topic.name}`} onClick={props.onSubscribe}>
              Subscribe
            </Button>
          ) : isExact ? (
            <Button
              size="small"
              look="quiet"
              disabled={isBusy}
              aria-label={`Unsubscribe from ${topic.name}`}
              onClick={props.onUnsubscribe}
            >
              Unsubscribe
            </Button>
          ) : null}
        </span>
      </div>
    </div>
  );
}
