/** Which items the operator is told of, by the desktop or by the window, what can be answered there, and where they lead. Pure. */
import type { Settings } from '#shared/settings/model.ts';
import type { AttentionItem } from './attention.ts';

/** What a button of a notification does. */
export type NotificationAction = 'reply' | 'restart' | 'open';

/** The circumstances. */
export interface NotificationMoment {
  readonly settings: Settings['notifications'];
  /** The operator's wall clock. */
  readonly now: Date;
  /** The path that a window shows to the operator now; undefined when none has the focus. */
  readonly focusedPath: string | undefined;
}

/** Whether the desktop is to be told of this item. The window lists it in any case. */
export function isToldOf(item: AttentionItem, moment: NotificationMoment): boolean {
  const { settings } = moment;
  return (
    item.needsOperator &&
    settings.isEnabled &&
    !settings.mutedAgents.includes(item.agentId) &&
    !isQuiet(settings.quietHours, moment.now) &&
    !isLookedAt(item, moment.focusedPath)
  );
}

/** Whether the operator has it before the eyes: the message, its agent, or the list that it stands in. */
function isLookedAt(item: AttentionItem, path: string | undefined): boolean {
  if (path === undefined) return false;
  if (item.kind === 'applicant') return path === pathOfItem(item);
  const agent = `/agent/${item.agentId}`;
  return (
    path === pathOfItem(item) ||
    path === agent ||
    path.startsWith(`${agent}/`) ||
    (item.messageId !== null && path === '/messages')
  );
}

/** Whether a moment lies in the quiet hours: from the first minute up to, not including, the last; equal ends are no hours. */
export function isQuiet(hours: Settings['notifications']['quietHours'], now: Date): boolean {
  if (hours === null) return false;
  const from = minutesOf(hours.from);
  const to = minutesOf(hours.to);
  const at = now.getHours() * 60 + now.getMinutes();
  return from <= to ? at >= from && at < to : at >= from || at < to;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** The buttons of an item, the most useful first: desktops that show one show that. */
export function actionsOf(item: AttentionItem): readonly { readonly action: NotificationAction; readonly text: string }[] {
  const open = { action: 'open', text: 'Open' } as const;
  if (item.kind === 'question') return [{ action: 'reply', text: 'Reply' }, open];
  return item.canRestart ? [{ action: 'restart', text: 'Restart' }, open] : [open];
}

/** Where the window shows an item. */
export function pathOfItem(item: AttentionItem): string {
  if (item.kind === 'applicant') return '/settings/connections';
  return item.messageId === null ? `/agent/${item.agentId}` : `/message/${item.messageId}`;
}
