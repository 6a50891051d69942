import { useEffect } from 'react';
import type { CoreClient } from '#renderer/connection/line.ts';
import { Coalescer } from '#renderer/store/coalesce.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import type { Asked } from '#renderer/store/use-asked.ts';
import { useAsked } from '#renderer/store/use-asked.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Delivery, Message, QueueInspection } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';

/** What is shown of a queue is at most this old when something changed it, in milliseconds. */
const QUEUE_EVERY_MS = 300;
/** So many are asked for at once. */
const PAGE = 200;

/** The inbox of a participant in the order in which it is handed out, as far as `wanted` messages; kept fresh. */
export function useQueue(recipient: string, wanted: number): Asked<QueueInspection> {
  const session = useSession();
  const asked = useAsked(`queue ${recipient} ${wanted}`, (client) => load(client, recipient, wanted));
  const { ask } = asked;
  useEffect(() => {
    const soon = new Coalescer(QUEUE_EVERY_MS, () => Promise.resolve(ask()));
    const deliveries = session.onDeliveries((changes) => {
      if (changes.some((change) => change.recipient === recipient)) soon.ask();
    });
    const events = session.onEvents((all) => {
      if (all.some(({ kind }) => kind.startsWith('message.'))) soon.ask();
    });
    return () => {
      deliveries.dispose();
      events.dispose();
      soon.dispose();
    };
  }, [session, ask, recipient]);
  return asked;
}

async function load(client: CoreClient, recipient: string, wanted: number): Promise<QueueInspection> {
  const whose = recipient === OPERATOR ? {} : { agentId: AgentId.parse(recipient) };
  const messages: Message[] = [];
  const deliveries: Delivery[] = [];
  let after: MessageId | undefined;
  for (;;) {
    const limit = Math.min(PAGE, wanted - messages.length);
    const page = await client.messages.queues({ ...whose, limit, ...(after === undefined ? {} : { after }) });
    messages.push(...page.messages);
    deliveries.push(...page.deliveries);
    if (page.next === null || messages.length >= wanted) return { ...page, messages, deliveries };
    after = page.next;
  }
}
