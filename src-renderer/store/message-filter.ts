/** Which messages a timeline shows. The core filters its pages; this filters what comes live, by the same rules. Pure. */
import type { CoreClient } from '#renderer/connection/line.ts';
import type { Delivery, DeliveryState, Message } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';

/** What `messages.list` takes. */
export type ListInput = Parameters<CoreClient['messages']['list']>[0];

/** Filters that narrow down together; an absent one lets everything pass. */
export type MessageFilter = Pick<
  ListInput,
  'projectId' | 'sessionId' | 'participant' | 'forOperator' | 'kind' | 'priority' | 'state' | 'threadId' | 'topic'
>;

/** Where the copies of one message stand, by recipient. */
export type Copies = Readonly<Record<string, Delivery>>;

/** The same text for filters that let the same pass. */
export function filterKey(filter: MessageFilter): string {
  return JSON.stringify(
    Object.entries(filter)
      .filter(([, value]) => value !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether a message passes. Copies that nothing is known of count as queued: so they are when a message is new. */
export function passes(filter: MessageFilter, message: Message, copies: Copies | undefined): boolean {
  const { projectId, sessionId, participant, forOperator, kind, priority, threadId, topic } = filter;
  return (
    (projectId === undefined || message.projectId === projectId) &&
    (sessionId === undefined || message.sessionId === sessionId) &&
    (topic === undefined || message.topic === topic) &&
    (participant === undefined || message.from.id === participant || message.recipients.includes(participant)) &&
    (forOperator === undefined || message.recipients.includes(OPERATOR) === forOperator) &&
    (kind === undefined || message.kind === kind) &&
    (priority === undefined || message.priority === priority) &&
    (threadId === undefined || message.threadId === threadId) &&
    passesState(filter, message, copies)
  );
}

function passesState({ state, forOperator }: MessageFilter, message: Message, copies: Copies | undefined): boolean {
  if (state === undefined) return true;
  const recipients = forOperator === true ? [OPERATOR] : message.recipients;
  return recipients.some((recipient) => {
    const stands: DeliveryState = ownEntry(copies ?? {}, recipient)?.state ?? 'queued';
    return state === 'unsettled' ? stands === 'queued' || stands === 'delivered' : stands === state;
  });
}
