import { Bookmark, Columns3, ListFilter, MoreHorizontal, Plus, Table2, LayoutGrid, X } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode, Ref } from 'react';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { Menu, MenuRadioGroup, MenuRadioItem } from '#renderer/ui/menu.tsx';
import { Popover } from '#renderer/ui/popover.tsx';
import { Segmented } from '#renderer/ui/segmented.tsx';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import type { Settings } from '#shared/settings/model.ts';
import type { FleetGroup } from './fleet-order.ts';
import { FLEET_GROUPS } from './fleet-order.ts';
import { groupInQuery, withGroup } from './fleet-query.ts';
import { STATUS_LOOKS } from './status-look.ts';

/** How the fleet is shown. */
export type FleetViewName = Settings['fleetView'];
type SavedFilter = Settings['savedFilters'][number];

const LOOKS: Readonly<Record<FleetGroup, StateLook>> = {
  needs: { shape: 'triangle', tone: 'needs', word: 'Needs you' },
  failed: STATUS_LOOKS.failed,
  working: STATUS_LOOKS.working,
  idle: STATUS_LOOKS.idle,
  paused: STATUS_LOOKS.paused,
  stopped: STATUS_LOOKS.stopped,
};
/** Groups that a narrow window keeps in sight; the others are in a menu there. */
const ALWAYS_SHOWN: readonly FleetGroup[] = ['needs', 'failed', 'working'];

interface FleetBarProps {
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly counts: Readonly<Record<FleetGroup, number>>;
  /** Of all groups together. */
  readonly matching: number;
  readonly view: FleetViewName;
  readonly onView: (view: FleetViewName) => void;
  readonly savedFilters: readonly SavedFilter[];
  readonly onSavedFilters: (filters: SavedFilter[]) => void;
  /** The order should be another one by now. */
  readonly isStale: boolean;
  readonly onSettle: () => void;
  readonly filterRef: Ref<HTMLInputElement>;
}

/** What stands above the fleet: groups with their counts, the filter, the view. */
export function FleetBar(props: FleetBarProps): ReactNode {
  const { query, onQuery, view, onView, isStale, onSettle, filterRef } = props;
  return (
    <div className="flex min-h-11 flex-none flex-wrap items-center gap-x-2 gap-y-1 border-b border-hair px-4 py-1.5">
      <h1 className="mr-1 text-14 font-strong whitespace-nowrap">Agents</h1>
      <GroupChips {...props} />
      {isStale ? (
        <Button
          look="quiet"
          size="small"
          onClick={onSettle}
          title="The order keeps still while the pointer or the focus is among the agents"
        >
          Order changed
        </Button>
      ) : null}
      <div className="ml-auto flex min-w-0 flex-wrap items-center gap-2">
        <FilterField query={query} onQuery={onQuery} filterRef={filterRef} />
        <SavedFilters {...props} />
        <Segmented
          label="View"
          isIconOnly
          value={view}
          onChange={onView}
          options={[
            { value: 'grid', text: 'Grid', icon: <LayoutGrid aria-hidden className="size-3.5" /> },
            { value: 'table', text: 'Table', icon: <Table2 aria-hidden className="size-3.5" /> },
            { value: 'wall', text: 'Wall', icon: <Columns3 aria-hidden className="size-3.5" /> },
          ]}
        />
        <Button icon={<Plus aria-hidden className="size-3.5" />} onClick={() => goTo({ page: 'new-agent' })}>
          New agent
        </Button>
      </div>
    </div>
  );
}

/** The groups as buttons. One is pressed at most; pressing it again shows all. */
function GroupChips({ query, onQuery, counts, matching }: FleetBarProps): ReactNode {
  const current = groupInQuery(query);
  const isAll = withGroup(query, undefined) === query.trim();
  const shown = FLEET_GROUPS.filter((group) => counts[group] > 0 || group === current);
  const folded = shown.filter((group) => !ALWAYS_SHOWN.includes(group));
  return (
    <div role="group" aria-label="Filter by state" className="flex min-w-0 flex-wrap gap-0.5">
      <Chip isPressed={isAll} onClick={() => onQuery(withGroup(query, undefined))} count={matching}>
        All
      </Chip>
      {shown.map((group) => (
        <Chip
          key={group}
          isPressed={group === current}
          isFolded={!ALWAYS_SHOWN.includes(group) && group !== current}
          tone={group === 'needs' ? 'needs' : 'quiet'}
          onClick={() => onQuery(withGroup(query, group === current ? undefined : group))}
          count={counts[group]}
        >
          <StateMark look={LOOKS[group]} />
          {LOOKS[group].word}
        </Chip>
      ))}
      {folded.length === 0 ? null : (
        <span className="wide:hidden">
          <Menu
            label="More states"
            trigger={<IconButton label="More states" icon={<MoreHorizontal aria-hidden className="size-3.5" />} />}
          >
            <MenuRadioGroup
              value={current ?? 'all'}
              onChange={(chosen) =>
                onQuery(
                  withGroup(
                    query,
                    FLEET_GROUPS.find((group) => group === chosen),
                  ),
                )
              }
            >
              {folded.map((group) => (
                <MenuRadioItem key={group} value={group}>
                  {LOOKS[group].word} ({counts[group]})
                </MenuRadioItem>
              ))}
            </MenuRadioGroup>
          </Menu>
        </span>
      )}
    </div>
  );
}

interface ChipProps {
  readonly isPressed: boolean;
  /** Only in a wide window. */
  readonly isFolded?: boolean;
  readonly tone?: 'needs' | 'quiet';
  readonly count: number;
  readonly onClick: () => void;
  readonly children: ReactNode;
}

function Chip({ isPressed, isFolded = false, tone = 'quiet', count, onClick, children }: ChipProps): ReactNode {
  const text = tone === 'needs' ? 'font-medium text-needs' : isPressed ? 'text-tx-1' : 'text-tx-2 hover:text-tx-1';
  return (
    <button
      type="button"
      aria-pressed={isPressed}
      onClick={onClick}
      className={`h-7 flex-none items-center gap-1.5 rounded-2 px-2 text-12 whitespace-nowrap hover:bg-bg-2 aria-pressed:bg-bg-2 [&_svg]:size-2.5 ${text} ${isFolded ? 'hidden wide:inline-flex' : 'inline-flex'}`}
    >
      {children}
      <span className={`figures ${tone === 'needs' ? '' : 'text-tx-3'}`}>{count}</span>
    </button>
  );
}

interface FilterFieldProps {
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly filterRef: Ref<HTMLInputElement>;
}

/** The filter as text. */
function FilterField({ query, onQuery, filterRef }: FilterFieldProps): ReactNode {
  return (
    <div className="flex h-7 w-[168px] min-w-0 items-center gap-2 rounded-2 border border-hair-strong bg-field-bg pl-2 focus-within:outline-2 focus-within:-outline-offset-2 focus-within:outline-focus wide:w-[208px]">
      <ListFilter aria-hidden className="size-3.5 flex-none text-tx-3" />
      <input
        ref={filterRef}
        type="text"
        role="searchbox"
        aria-label="Filter agents"
        aria-keyshortcuts="/"
        title="Words, or type:worker state:idle cap:review name:ada boundary:host, several values by commas, a minus to leave out"
        autoComplete="off"
        spellCheck={false}
        maxLength={1_000}
        value={query}
        placeholder="Filter by name, type…"
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.preventDefault();
          if (query === '') event.currentTarget.blur();
          else onQuery('');
        }}
        className="h-full min-w-0 flex-1 bg-transparent text-12 text-tx-1 outline-none placeholder:text-tx-3"
      />
      {query === '' ? null : (
        <button
          type="button"
          aria-label="Clear the filter"
          onClick={() => onQuery('')}
          className="inline-flex size-6 flex-none items-center justify-center rounded-2 text-tx-3 hover:text-tx-1"
        >
          <X aria-hidden className="size-3.5" />
        </button>
      )}
    </div>
  );
}

/** Filters that were given a name. */
function SavedFilters({ query, onQuery, savedFilters, onSavedFilters }: FleetBarProps): ReactNode {
  const [name, setName] = useState('');
  const trimmed = name.trim();
  const save = (): void => {
    if (trimmed === '' || query.trim() === '') return;
    onSavedFilters([...savedFilters.filter((each) => each.name !== trimmed), { name: trimmed, filter: query.trim() }]);
    setName('');
  };
  const isOne = savedFilters.some(({ filter }) => filter === query.trim());
  return (
    <Popover
      label="Saved filters"
      align="end"
      trigger={
        <IconButton
          look="outline"
          label="Saved filters"
          icon={<Bookmark aria-hidden className={`size-3.5 ${isOne ? 'fill-current' : ''}`} />}
        />
      }
    >
      <div className="flex w-72 flex-col gap-2">
        <h2 className="text-12 font-strong">Saved filters</h2>
        {savedFilters.length === 0 ? (
          <p className="text-12 text-tx-3">None yet. Filter the agents, then save the filter here.</p>
        ) : null}
        <ul className="-mx-1 flex max-h-64 flex-col overflow-y-auto">
          {savedFilters.map((saved) => (
            <li key={saved.name} className="flex items-center rounded-2 hover:bg-bg-2">
              <button
                type="button"
                aria-pressed={saved.filter === query.trim()}
                onClick={() => onQuery(saved.filter)}
                className="flex h-7 min-w-0 flex-1 items-baseline gap-2 rounded-2 px-1.5 pt-1.5 text-left text-12 aria-pressed:font-medium"
              >
                <span className="flex-none">{saved.name}</span>
                <code className="font-code min-w-0 truncate text-tx-3">{saved.filter}</code>
              </button>
              <IconButton
                size="small"
                label={`Remove ${saved.name}`}
                icon={<X aria-hidden className="size-3.5" />}
                onClick={() => onSavedFilters(savedFilters.filter((each) => each !== saved))}
              />
            </li>
          ))}
        </ul>
        {query.trim() === '' ? null : (
          <form
            className="flex items-end gap-1.5 border-t border-hair pt-2"
            onSubmit={(event) => {
              event.preventDefault();
              save();
            }}
          >
            <TextField label="Save this filter as" value={name} onChange={setName} maxLength={80} className="min-w-0 flex-1" />
            <Button type="submit" disabled={trimmed === ''}>
              Save
            </Button>
          </form>
        )}
      </div>
    </Popover>
  );
}
