/** What a card, a row and a pane of the fleet are made of alike. */
import { Check, Ellipsis, Mail } from 'lucide-react';
import type { KeyboardEvent, MouseEvent, ReactNode } from 'react';
import { Link } from '#renderer/navigation/use-route.tsx';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { Menu } from '#renderer/ui/menu.tsx';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { FleetHands } from './fleet-agent.ts';

interface PartProps {
  readonly id: string;
  /** 0 where Tab leads to this agent, else -1. */
  readonly tabIndex: number;
}

interface SelectableProps extends PartProps {
  readonly isSelected: boolean;
  readonly hands: FleetHands;
}

interface AgentLinkProps extends SelectableProps {
  readonly title?: string;
  readonly className: string;
}

/** The name. Enter opens it as any link; Space selects, with Shift a range. Arrow keys are the view's. */
export function AgentLink({ id, tabIndex, isSelected, hands, title = id, className }: AgentLinkProps): ReactNode {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== ' ' && event.key !== 'x') return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    hands.onToggle(id, event.shiftKey);
  };
  const onClick = (event: MouseEvent): void => {
    if (!event.shiftKey) return;
    event.preventDefault();
    hands.onToggle(id, true);
  };
  return (
    <Link
      to={{ page: 'agent', id, tab: 'overview' }}
      title={title}
      tabIndex={tabIndex}
      draggable={false}
      data-card-link=""
      aria-description={isSelected ? 'selected' : undefined}
      onFocus={() => hands.onCurrent(id)}
      onKeyDown={onKeyDown}
      onClick={onClick}
      className={`font-strong outline-none ${className}`}
    >
      {id}
    </Link>
  );
}

/** The button with what can be done: the same as in the context menu. */
export function AgentMenu({ id, tabIndex, items }: PartProps & { readonly items: ReactNode }): ReactNode {
  return (
    <Menu
      label={`Actions for ${id}`}
      align="end"
      trigger={
        <button
          type="button"
          tabIndex={tabIndex}
          aria-label={`Actions for ${id}`}
          className="inline-flex size-6 items-center justify-center rounded-2 text-tx-3 hover:bg-bg-2 hover:text-tx-1 aria-expanded:bg-bg-2"
        >
          <Ellipsis aria-hidden className="size-3.5" />
        </button>
      }
    >
      {items}
    </Menu>
  );
}

/** Selects an agent; with Shift everything from the last one that was. */
export function SelectBox({ id, tabIndex, isSelected, hands }: SelectableProps): ReactNode {
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={isSelected}
      aria-label={`Select ${id}`}
      tabIndex={tabIndex}
      onClick={(event) => hands.onToggle(id, event.shiftKey)}
      className="inline-flex size-6 flex-none items-center justify-center rounded-2"
    >
      <span
        className={`inline-flex size-3.5 items-center justify-center rounded-1 border ${isSelected ? 'border-ink bg-ink text-on-ink' : 'border-tx-3'}`}
      >
        {isSelected ? <Check aria-hidden className="size-2.5" strokeWidth={4} /> : null}
      </span>
    </button>
  );
}

/** How many messages wait for the agent; nothing when none does. */
export function Unread({ agentId }: { readonly agentId: string }): ReactNode {
  const unread = useWindowState((state) => ownEntry(state.unread, agentId) ?? 0);
  if (unread === 0) return null;
  return (
    <span
      className="figures inline-flex items-center gap-1 text-tx-2"
      title={`${unread} unread ${unread === 1 ? 'message' : 'messages'}`}
    >
      <Mail aria-hidden className="size-3 text-tx-3" />
      {unread}
      <span className="sr-only">unread</span>
    </span>
  );
}
