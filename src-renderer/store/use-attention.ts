/** What needs the operator, derived once for all places that show it. */
import { useMemo } from 'react';
import type { AttentionItem, FleetFigures } from '#shared/attention/attention.ts';
import { attentionOf, fleetOf } from '#shared/attention/attention.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import { useWindowState } from './session-context.tsx';

/** A question that has expired leaves the list at the latest after this long, in milliseconds. */
const LOOK_EVERY_MS = 10_000;

/** What needs or needed the operator, newest first, and the figures of the whole fleet. */
export function useAttention(): { readonly items: readonly AttentionItem[]; readonly fleet: FleetFigures } {
  const agents = useWindowState((state) => state.crew.agents);
  const inbox = useWindowState((state) => state.inbox);
  const dismissed = useWindowState((state) => state.crew.settings.dismissed);
  const now = useNow(LOOK_EVERY_MS);
  return useMemo(() => {
    const items = attentionOf({ agents, inbox, dismissed, now });
    return { items, fleet: fleetOf(agents, items) };
  }, [agents, inbox, dismissed, now]);
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
