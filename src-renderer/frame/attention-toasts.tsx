import { useEffect, useRef } from 'react';
import { pathOf } from '#renderer/navigation/routes.ts';
import { useRoute } from '#renderer/navigation/use-route.tsx';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { problemOf } from '#renderer/store/use-command.ts';
import { showToast } from '#renderer/ui/toast.tsx';
import type { AttentionItem } from '#shared/attention/attention.ts';
import { actionsOf, isToldOf } from '#shared/attention/notification-rules.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { goToItem } from './go-to-item.ts';

/**
 * Tells of what newly needs the operator, in a browser: the desktop app has the system's notifications for that. What stands
 * on the screen anyway is not told, what waited before the window was opened neither; the notification centre lists it all.
 */
export function AttentionToasts({ items }: { readonly items: readonly AttentionItem[] }): null {
  const session = useSession();
  const route = useRoute();
  // The inbox comes after the crew: what is in it by then waited before the window was opened.
  const isKnown = useWindowState((state) => state.hasCrew && state.hasInbox);
  const notifications = useWindowState((state) => state.crew.settings.notifications);
  const known = useRef<ReadonlySet<string>>(undefined);
  const shown = useRef(new Map<string, () => void>());

  useEffect(() => {
    if (!isKnown) return;
    const open = items.filter(({ needsOperator }) => needsOperator);
    const ids = new Set(open.map(({ id }) => id));
    for (const [id, dismiss] of shown.current) {
      if (ids.has(id)) continue;
      dismiss();
      shown.current.delete(id);
    }
    const before = known.current;
    known.current = ids;
    // The fleet shows every item on its card.
    if (before === undefined || route.page === 'fleet') return;
    const moment = { settings: { ...notifications, isEnabled: true }, now: new Date(), focusedPath: pathOf(route) };
    const restart = (agentId: string): void => {
      session.client.agents.restart({ id: AgentId.parse(agentId) }).catch((error: unknown) => {
        showToast({ title: `${agentId} was not restarted.`, detail: problemOf(error), tone: 'failed' });
      });
    };
    for (const item of open) {
      if (before.has(item.id) || !isToldOf(item, moment)) continue;
      const dismiss = showToast({
        id: item.id,
        title: item.title,
        detail: item.detail,
        tone: item.kind === 'question' ? 'needs' : 'failed',
        actions: actionsOf(item).map(({ action, text }) => ({
          text,
          onClick: () => (action === 'restart' ? restart(item.agentId) : goToItem(item)),
        })),
      });
      shown.current.set(item.id, dismiss);
    }
  }, [items, isKnown, notifications, route, session]);
  return null;
}
