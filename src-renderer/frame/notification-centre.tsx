import { Bell } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useAttention, useHasAttention } from '#renderer/store/use-attention.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import { CountBadge } from '#renderer/ui/badge.tsx';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { Popover } from '#renderer/ui/popover.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { goToItem } from './go-to-item.ts';
import type { AttentionItem } from '#shared/attention/attention.ts';

const LOOKS: Readonly<Record<AttentionItem['kind'], StateLook>> = {
  question: { shape: 'triangle', tone: 'needs', word: 'Question' },
  failed: { shape: 'cross', tone: 'failed', word: 'Failed' },
  lost: { shape: 'question', tone: 'failed', word: 'Lost' },
  held: { shape: 'bars', tone: 'paused', word: 'Paused' },
  applicant: { shape: 'triangle', tone: 'needs', word: 'Asks to join' },
};

/** Attention ids kept as dismissed: older ones belong to causes that are long over. */
const DISMISSED_KEPT = 500;

/** Everything that needs or needed the operator, in one place, whether or not the system showed a notification for it. */
export function NotificationCentre(): ReactNode {
  const session = useSession();
  const { items } = useAttention();
  const hasAttention = useHasAttention();
  const dismissed = useWindowState((state) => state.crew.settings.dismissed);
  const command = useCommand();
  const open = items.filter(({ needsOperator }) => needsOperator);
  // An agent waits for the answer to its question: that is not put aside with the rest.
  const dismissible = open.filter(({ kind }) => kind !== 'question' && kind !== 'applicant');
  const dismiss = (ids: readonly string[]): void =>
    command.run(() => session.client.settings.update({ dismissed: [...dismissed, ...ids].slice(-DISMISSED_KEPT) }));
  return (
    <Popover
      label="Notifications"
      align="end"
      trigger={
        <IconButton
          look="quiet"
          label={open.length === 0 ? 'Notifications' : `Notifications, ${open.length} need you`}
          icon={
            <span className="relative inline-flex">
              <Bell aria-hidden className="size-4" />
              <span className="absolute -top-1.5 -right-1.5">
                <CountBadge count={open.length} label="need you" />
              </span>
            </span>
          }
        />
      }
    >
      <div className="-m-3 flex w-96 max-w-[calc(100vw-2rem)] flex-col">
        <div className="flex h-10 items-center gap-2 border-b border-hair px-3">
          <h2 className="text-13 font-strong">Notifications</h2>
          <span className="ml-auto">
            <Button
              look="quiet"
              size="small"
              disabled={dismissible.length === 0}
              title="Questions stay until they are answered"
              onClick={() => dismiss(dismissible.map(({ id }) => id))}
            >
              Dismiss all
            </Button>
          </span>
        </div>
        {items.length === 0 && !hasAttention ? (
          <p className="px-3 py-4 text-12 text-tx-3">What needs you is being looked up.</p>
        ) : items.length === 0 ? (
          <EmptyState title="Nothing needs you">
            <p>Questions from agents, and agents that failed or were lost, are listed here.</p>
          </EmptyState>
        ) : (
          <ul className="max-h-[60vh] overflow-y-auto">
            {items.map((item) => (
              <li key={item.id} className="flex items-start gap-2.5 border-b border-hair px-3 py-2 last:border-b-0">
                <span className="pt-1">
                  <StateMark look={item.needsOperator ? LOOKS[item.kind] : { ...LOOKS[item.kind], tone: 'stopped' }} />
                </span>
                <button type="button" className="min-w-0 flex-1 rounded-1 text-left text-12" onClick={() => goToItem(item)}>
                  <span className="block truncate text-13 font-medium">{visibleText(item.title)}</span>
                  <span className="line-clamp-2 block break-words text-tx-2">{visibleText(item.detail)}</span>
                  <RelativeTime at={item.at} />
                </button>
                {item.needsOperator && item.kind !== 'question' && item.kind !== 'applicant' ? (
                  <Button look="quiet" size="small" onClick={() => dismiss([item.id])}>
                    Dismiss
                  </Button>
                ) : null}
              </li>
            ))}
          </ul>
        )}
        {command.problem === undefined ? null : <p className="px-3 py-2 text-12 text-st-failed">{command.problem}</p>}
      </div>
    </Popover>
  );
}
