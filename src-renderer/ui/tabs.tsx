import { ChevronDown } from 'lucide-react';
import type { KeyboardEvent, ReactNode } from 'react';
import { Menu, MenuRadioGroup, MenuRadioItem } from './menu.tsx';

interface Tab<T extends string> {
  readonly value: T;
  readonly text: string;
  /** How many there are of what the tab shows. */
  readonly count?: number | undefined;
}

interface TabsProps<T extends string> {
  readonly value: T;
  readonly onChange: (value: T) => void;
  /** The row's name for screen readers. */
  readonly label: string;
  readonly tabs: readonly Tab<T>[];
  /** So many tabs, counted from the end, stand in a menu "More". The current one is always in the row. */
  readonly more?: number;
  /** Tells rows with equal values on one page apart; the same goes to their TabPanel. */
  readonly group?: string;
}

const tabId = (group: string, value: string): string => `${group}-tab-${value}`;
const panelId = (group: string, value: string): string => `${group}-panel-${value}`;

/** A row of tabs. Arrow keys go through it, and show what they reach. */
export function Tabs<T extends string>({ value, onChange, label, tabs, more = 0, group = 'tabs' }: TabsProps<T>): ReactNode {
  const kept = tabs.slice(0, tabs.length - more);
  const folded = tabs.slice(tabs.length - more);
  const current = folded.find((tab) => tab.value === value);
  const shown = current === undefined ? kept : [...kept, current];

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const at = shown.findIndex((tab) => tab.value === value);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = shown[(to + shown.length) % shown.length];
    if (next === undefined) return;
    onChange(next.value);
    document.getElementById(tabId(group, next.value))?.focus();
  };

  return (
    <div className="flex h-9 min-w-0 flex-none items-stretch gap-4">
      <div role="tablist" aria-label={label} onKeyDown={onKeyDown} className="flex min-w-0 items-stretch gap-4 overflow-x-auto">
        {shown.map((tab) => {
          const isCurrent = tab.value === value;
          return (
            <button
              key={tab.value}
              type="button"
              role="tab"
              id={tabId(group, tab.value)}
              aria-selected={isCurrent}
              aria-controls={isCurrent ? panelId(group, tab.value) : undefined}
              tabIndex={isCurrent ? 0 : -1}
              onClick={() => onChange(tab.value)}
              className="inline-flex flex-none items-center gap-1.5 border-y-2 border-transparent text-12 whitespace-nowrap text-tx-2 hover:text-tx-1 aria-selected:border-b-tx-1 aria-selected:font-strong aria-selected:text-tx-1"
            >
              {tab.text}
              {tab.count === undefined ? null : <span className="figures font-regular text-tx-3">{tab.count}</span>}
            </button>
          );
        })}
      </div>
      {folded.length === 0 ? null : (
        <Menu
          label={`More of ${label}`}
          trigger={
            <button type="button" className="inline-flex flex-none items-center gap-1 text-12 text-tx-2 hover:text-tx-1">
              More
              <ChevronDown aria-hidden className="size-3.5 text-tx-3" />
            </button>
          }
        >
          <MenuRadioGroup value={value} onChange={onChange}>
            {folded.map((tab) => (
              <MenuRadioItem key={tab.value} value={tab.value}>
                {tab.text}
                {tab.count === undefined ? null : <span className="figures ml-2 text-tx-3">{tab.count}</span>}
              </MenuRadioItem>
            ))}
          </MenuRadioGroup>
        </Menu>
      )}
    </div>
  );
}

interface TabPanelProps {
  readonly value: string;
  /** The tab that is shown. */
  readonly current: string;
  readonly group?: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** What a tab shows; made only while it is shown. */
export function TabPanel({ value, current, group = 'tabs', className = '', children }: TabPanelProps): ReactNode {
  if (value !== current) return null;
  return (
    <div role="tabpanel" id={panelId(group, value)} aria-labelledby={tabId(group, value)} className={className}>
      {children}
    </div>
  );
}
