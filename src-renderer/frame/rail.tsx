import { Bot, MessagesSquare, PanelLeftClose, PanelLeftOpen, Settings, Stethoscope } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Route } from '#renderer/navigation/routes.ts';
import { HOME } from '#renderer/navigation/routes.ts';
import { Link, useRoute } from '#renderer/navigation/use-route.tsx';
import { CountBadge } from '#renderer/ui/badge.tsx';
import { IconButton } from '#renderer/ui/button.tsx';
import { Logo } from '#renderer/ui/logo.tsx';
import { Tooltip } from '#renderer/ui/tooltip.tsx';

interface Place {
  readonly text: string;
  readonly keys: string;
  readonly icon: LucideIcon;
  readonly to: Route;
  /** The pages during which this place is the present one. */
  readonly pages: readonly Route['page'][];
}

/** The places of the rail, top to bottom. */
const PLACES: readonly Place[] = [
  { text: 'Agents', keys: 'g a', icon: Bot, to: HOME, pages: ['fleet', 'agent', 'new-agent'] },
  { text: 'Messages', keys: 'g m', icon: MessagesSquare, to: { page: 'messages' }, pages: ['messages'] },
];
/** The places at its foot. */
const FOOT: readonly Place[] = [
  { text: 'Set up', keys: 'g u', icon: Stethoscope, to: { page: 'setup' }, pages: ['setup'] },
  { text: 'Settings', keys: 'g s', icon: Settings, to: { page: 'settings', section: 'appearance' }, pages: ['settings'] },
];

interface RailProps {
  /** With words beside the icons, where there is room for them. */
  readonly isExpanded: boolean;
  readonly onToggle: () => void;
  /** Messages that wait for the operator's answer. */
  readonly questions: number;
}

/** The way between the screens. */
export function Rail({ isExpanded, onToggle, questions }: RailProps): ReactNode {
  const { page } = useRoute();
  const item = (place: Place): ReactNode => (
    <RailItem
      key={place.text}
      place={place}
      isExpanded={isExpanded}
      isCurrent={place.pages.includes(page)}
      badge={place.text === 'Messages' ? questions : 0}
    />
  );
  return (
    <nav
      aria-label="Screens"
      className={`row-span-2 flex flex-none flex-col border-r border-hair bg-bg-1 ${isExpanded ? 'w-12 min-[861px]:w-44' : 'w-12'}`}
    >
      <div className="flex h-11 flex-none items-center gap-2.5 border-b border-hair px-3.5">
        <Logo />
        {isExpanded ? <span className="text-13 font-strong max-[860px]:hidden">Quarterdeck</span> : null}
      </div>
      <ul className="flex flex-col gap-1 px-2 pt-2">{PLACES.map(item)}</ul>
      <ul className="mt-auto flex flex-col gap-1 px-2 pb-1">{FOOT.map(item)}</ul>
      <div className="px-2 pb-2">
        <IconButton
          look="quiet"
          label={isExpanded ? 'Hide the labels' : 'Show the labels'}
          className="size-8"
          icon={isExpanded ? <PanelLeftClose aria-hidden className="size-4" /> : <PanelLeftOpen aria-hidden className="size-4" />}
          onClick={onToggle}
        />
      </div>
    </nav>
  );
}

interface RailItemProps {
  readonly place: Place;
  readonly isExpanded: boolean;
  readonly isCurrent: boolean;
  readonly badge: number;
}

function RailItem({ place, isExpanded, isCurrent, badge }: RailItemProps): ReactNode {
  const { icon: Icon, text, keys, to } = place;
  const link = (
    <Link
      to={to}
      aria-current={isCurrent ? 'page' : undefined}
      className="relative flex h-8 items-center gap-2.5 rounded-2 px-2 text-tx-2 hover:bg-bg-2 hover:text-tx-1 aria-[current=page]:bg-bg-2 aria-[current=page]:text-tx-1 aria-[current=page]:before:absolute aria-[current=page]:before:inset-y-1.5 aria-[current=page]:before:-left-2 aria-[current=page]:before:w-0.5 aria-[current=page]:before:bg-tx-1"
    >
      <Icon aria-hidden className="size-4 flex-none" strokeWidth={1.75} />
      <span className={isExpanded ? 'truncate text-13 max-[860px]:sr-only' : 'sr-only'}>{text}</span>
      {badge > 0 ? (
        <span
          className={
            isExpanded ? 'ml-auto max-[860px]:absolute max-[860px]:-top-1 max-[860px]:-right-1' : 'absolute -top-1 -right-1'
          }
        >
          <CountBadge count={badge} tone="needs" label={`${badge} waiting for you`} />
        </span>
      ) : null}
    </Link>
  );
  return (
    <li>
      <Tooltip label={text} shortcut={keys} side="right">
        {link}
      </Tooltip>
    </li>
  );
}
