/** The filters of the Messages screen and their place in the address. Pure. */
import * as z from 'zod';
import type { MessageFilter } from '#renderer/store/message-filter.ts';
import { MessageId, SessionId } from '#shared/kernel/ids.ts';
import { DeliveryState, MessageKind, PRIORITIES, Priority } from '#shared/messages/model.ts';
import { TopicName } from '#shared/topics/model.ts';

/** Filters as the address holds them; '' is any. */
export interface FilterTexts {
  readonly for: string;
  readonly agent: string;
  readonly kind: string;
  readonly priority: string;
  readonly state: string;
  readonly thread: string;
  readonly topic: string;
  readonly session: string;
  /** "topics": the list of topics stands in the place of the timeline. */
  readonly view: string;
}

/** The names of the filters in the address. */
export const FILTER_NAMES = ['for', 'agent', 'kind', 'priority', 'state', 'thread', 'topic', 'session', 'view'] as const;

/** Reads the filters of an address. */
export function textsOf(search: string): FilterTexts {
  const query = new URLSearchParams(search);
  const text = (name: (typeof FILTER_NAMES)[number]): string => query.get(name) ?? '';
  return {
    for: text('for'),
    agent: text('agent'),
    kind: text('kind'),
    priority: text('priority'),
    state: text('state'),
    thread: text('thread'),
    topic: text('topic'),
    session: text('session'),
    view: text('view'),
  };
}

/** What the texts stand for. One that nobody understands lets everything pass. */
export function filterOf(texts: FilterTexts): MessageFilter {
  const kind = MessageKind.safeParse(texts.kind);
  const priority = Priority.safeParse(texts.priority);
  const state = DeliveryState.or(z.literal('unsettled')).safeParse(texts.state);
  const thread = MessageId.safeParse(texts.thread);
  const topic = TopicName.safeParse(texts.topic);
  const session = SessionId.safeParse(texts.session);
  return {
    ...(texts.for === 'you' ? { forOperator: true } : {}),
    ...(texts.agent === '' ? {} : { participant: texts.agent.slice(0, 64) }),
    ...(kind.success ? { kind: kind.data } : {}),
    ...(priority.success ? { priority: priority.data } : {}),
    ...(state.success ? { state: state.data } : {}),
    ...(thread.success ? { threadId: thread.data } : {}),
    ...(topic.success ? { topic: topic.data } : {}),
    ...(session.success ? { sessionId: session.data } : {}),
  };
}

/** What can be chosen, with its words. */
export const KIND_CHOICES = choices(MessageKind.options);
/** What can be chosen, with its words. */
export const PRIORITY_CHOICES = choices(PRIORITIES);
/** What can be chosen, with its words. */
export const STATE_CHOICES = [
  { value: '', text: 'any' },
  { value: 'unsettled', text: 'not acknowledged' },
  { value: 'queued', text: 'queued' },
  { value: 'delivered', text: 'delivered' },
  { value: 'read', text: 'acknowledged' },
  { value: 'dead', text: 'dead' },
];

function choices(values: readonly string[]): readonly { readonly value: string; readonly text: string }[] {
  return [{ value: '', text: 'any' }, ...values.map((value) => ({ value, text: value }))];
}
