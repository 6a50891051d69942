import { ChevronDown } from 'lucide-react';
import { useLayoutEffect, useRef, useState } from 'react';
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

/** Between two tabs, and the room that "More" takes with the gap before it; in pixels. */
const GAP_PX = 16;
const MORE_PX = 68;

/** How many tabs from the first fit into a row: all, or so many that "More" fits too, and the current one if it is beyond. */
export function fittingTabs(widths: readonly number[], room: number, currentIndex: number): number {
  const sum = (upTo: number): number => widths.slice(0, upTo).reduce((total, width) => total + width + GAP_PX, -GAP_PX);
  if (sum(widths.length) <= room) return widths.length;
  for (let count = widths.length - 1; count > 0; count -= 1) {
    const current = currentIndex >= count ? GAP_PX + (widths[currentIndex] ?? 0) : 0;
    if (sum(count) + current + MORE_PX <= room) return count;
  }
  return 0;
}

/** A row of tabs. Arrow keys go through it, and show what they reach. What does not fit stands under "More". */
export function Tabs<T extends string>({ value, onChange, label, tabs, more = 0, group = 'tabs' }: TabsProps<T>): ReactNode {
  const row = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const widths = useRef(new Map<string, number>());
  const [fitting, setFitting] = useState(tabs.length);
  const currentIndex = tabs.findIndex((tab) => tab.value === value);

  useLayoutEffect(() => {
    const [box, inner] = [row.current, list.current];
    if (box === null || inner === null) return undefined;
    const measure = (): void => {
      for (const tab of inner.children)
        if (tab instanceof HTMLElement) widths.current.set(tab.dataset['value'] ?? '', tab.offsetWidth);
      // A tab that was never in the row has no width yet; a usual one stands for it.
      setFitting(
        fittingTabs(
          tabs.map((tab) => widths.current.get(tab.value) ?? 72),
          box.clientWidth,
          currentIndex,
        ),
      );
    };
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    observer.observe(inner);
    measure();
    return () => observer.disconnect();
  }, [tabs, currentIndex]);

  const count = Math.min(fitting, tabs.length - more);
  const kept = tabs.slice(0, count);
  const folded = tabs.slice(count);
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
    <div ref={row} className="flex h-9 w-full min-w-0 flex-none items-stretch gap-4 overflow-hidden">
      <div ref={list} role="tablist" aria-label={label} onKeyDown={onKeyDown} className="flex flex-none items-stretch gap-4">
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
              data-value={tab.value}
              onClick={() => onChange(tab.value)}
              className="inline-flex flex-none items-center gap-1.5 border-y-2 border-transparent text-12 whitespace-nowrap text-tx-2 hover:text-tx-1 aria-selected:border-b-tx-1 aria-selected:font-strong aria-selected:text-tx-1"
            >
              {/* Room for the strong word is kept, so that nothing moves when a tab is chosen. */}
              <span
                data-text={tab.text}
                className="inline-grid after:invisible after:h-0 after:overflow-hidden after:font-strong after:content-[attr(data-text)/'']"
              >
                {tab.text}
              </span>
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
