/** What needs the operator, derived once for all places that show it. */
import { useMemo } from 'react';
import type { AttentionItem, FleetFigures } from '#shared/attention/attention.ts';
import { attentionOf, fleetOf } from '#shared/attention/attention.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import { useWindowState } from './session-context.tsx';

/** A question that has expired leaves the list at the latest after this long, in milliseconds. */
const LOOK_EVERY_MS = 5_000;

/** What needs or needed the operator, newest first, and the figures of the whole fleet. */
export function useAttention(): { readonly items: readonly AttentionItem[]; readonly fleet: FleetFigures } {
  const agents = useWindowState((state) => state.crew.agents);
  const enrolments = useWindowState((state) => state.crew.enrolments);
  const inbox = useWindowState((state) => state.inbox);
  const answered = useWindowState((state) => state.answered);
  const dismissed = useWindowState((state) => state.crew.settings.dismissed);
  const now = useNow(LOOK_EVERY_MS);
  return useMemo(() => {
    const items = attentionOf({ agents, enrolments, inbox, answered, dismissed, now });
    return { items, fleet: fleetOf(agents, items) };
  }, [agents, enrolments, inbox, answered, dismissed, now]);
}

/** Whether anything can be said of who waits for the operator: before the inbox came, nothing can. */
export function useHasAttention(): boolean {
  return useWindowState((state) => state.hasCrew && state.hasInbox);
}

/** A question that has no answer yet. */
export interface OpenQuestion {
  readonly item: AttentionItem;
  readonly message: InboxMessage;
}

/** All questions without an answer, the oldest first: that is the one to answer first. Of one agent, or of all. */
export function useOpenQuestions(agentId?: string): readonly OpenQuestion[] {
  const { items } = useAttention();
  const inbox = useWindowState((state) => state.inbox);
  return useMemo(() => {
    const messages = new Map<string, InboxMessage>(inbox.map((message) => [message.id, message]));
    return items
      .flatMap((item): OpenQuestion[] => {
        const message = messages.get(item.messageId ?? '');
        return message === undefined || (agentId !== undefined && item.agentId !== agentId) ? [] : [{ item, message }];
      })
      .toReversed();
  }, [items, inbox, agentId]);
}

/** The questions that an agent waits for an answer to, by agent. */
export function useQuestions(): ReadonlyMap<string, AttentionItem> {
  const { items } = useAttention();
  return useMemo(
    () =>
      new Map(
        // The oldest question of each agent is the one to answer first.
        items.filter(({ kind, needsOperator }) => kind === 'question' && needsOperator).map((item) => [item.agentId, item]),
      ),
    [items],
  );
}
