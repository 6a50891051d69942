import { routeOf } from '#renderer/navigation/routes.ts';
import { goTo } from '#renderer/navigation/use-route.tsx';
import type { AttentionItem } from '#shared/attention/attention.ts';
import { pathOfItem } from '#shared/attention/notification-rules.ts';

/** Opens the place where an item is dealt with. */
export function goToItem(item: AttentionItem): void {
  goTo(routeOf(pathOfItem(item)));
}
