/** What tray and menus say and offer, worked out apart from Electron: from the crew's view to words, icon and commands. */
import type { AgentStatus } from '#shared/agents/model.ts';
import { pathOfItem } from '#shared/attention/notification-rules.ts';
import type { CrewView } from './crew-watch.ts';

/** Items that the menu lists by name; the window lists all. */
const LISTED_ITEMS = 8;
/** Longest label of an item, in characters: menus are as wide as their longest entry. */
const MAX_LABEL_CHARS = 64;
/** Counts above this are drawn as 9+. */
const MAX_COUNT = 9;

/** What an entry does. */
export type ShellCommand =
  | { readonly kind: 'open'; readonly path?: string }
  | { readonly kind: 'pause-all' | 'resume-all' | 'stop-all' | 'quit' | 'quit-and-stop' };

/** One entry of a menu. `label` is plain text. */
export type MenuEntry =
  | { readonly type: 'separator' }
  | { readonly type: 'entry'; readonly label: string; readonly command: ShellCommand; readonly isEnabled: boolean };

/** The tray, as it is to be. */
export interface TrayModel {
  /** `idle`, `working`, `trouble`, `off`, or `needs-1` to `needs-9` and `needs-more`. */
  readonly icon: string;
  readonly count: number;
  readonly tooltip: string;
  readonly entries: readonly MenuEntry[];
}

const SEPARATOR: MenuEntry = { type: 'separator' };

function entry(label: string, command: ShellCommand, isEnabled = true): MenuEntry {
  return { type: 'entry', label, command, isEnabled };
}

/** The entries that act on the whole crew: for the tray, and for the app's menu. */
export function crewEntries(view: CrewView): readonly MenuEntry[] {
  const count = (...statuses: AgentStatus[]): number =>
    statuses.reduce((sum, status) => sum + (view.fleet.byStatus[status] ?? 0), 0);
  const active = count('idle', 'working', 'waiting');
  const paused = count('paused');
  return [
    entry('New agent…', { kind: 'open', path: '/new' }),
    SEPARATOR,
    entry(`Pause all${figure(active)}`, { kind: 'pause-all' }, active > 0),
    entry(`Resume all${figure(paused)}`, { kind: 'resume-all' }, paused > 0),
    entry(`Stop all${figure(view.fleet.alive)}`, { kind: 'stop-all' }, view.fleet.alive > 0),
  ];
}

/** The two ways to quit. */
export function quitEntries(): readonly MenuEntry[] {
  return [entry('Quit (agents keep running)', { kind: 'quit' }), entry('Quit and stop all agents', { kind: 'quit-and-stop' })];
}

/** The items that need the operator, as entries. */
export function attentionEntries(view: CrewView): readonly MenuEntry[] {
  const open = view.items.filter(({ needsOperator }) => needsOperator);
  const more = open.length - LISTED_ITEMS;
  return [
    ...open
      .slice(0, LISTED_ITEMS)
      .map((item) => entry(cut(`${item.title}: ${item.detail}`), { kind: 'open', path: pathOfItem(item) })),
    ...(more > 0 ? [entry(`${more} more…`, { kind: 'open', path: '/agents' })] : []),
  ];
}

/** The tray for a view. */
export function trayModel(view: CrewView): TrayModel {
  const { mood, needs } = view.fleet;
  const items = attentionEntries(view);
  return {
    icon: mood === 'needs' ? `needs-${needs > MAX_COUNT ? 'more' : needs}` : mood,
    count: needs,
    tooltip: tooltipOf(view),
    entries: [
      ...items,
      ...(items.length > 0 ? [SEPARATOR] : []),
      entry('Open Quarterdeck', { kind: 'open' }),
      ...crewEntries(view),
      SEPARATOR,
      ...quitEntries(),
    ],
  };
}

const WORDS: readonly (readonly [AgentStatus, string])[] = [
  ['working', 'working'],
  ['waiting', 'waiting'],
  ['starting', 'starting'],
  ['idle', 'idle'],
  ['paused', 'paused'],
  ['failed', 'failed'],
  ['lost', 'lost'],
];

function tooltipOf({ fleet }: CrewView): string {
  if (fleet.mood === 'off') return 'Quarterdeck: the core is starting';
  const figures = WORDS.flatMap(([status, word]) => {
    const count = fleet.byStatus[status] ?? 0;
    return count > 0 ? [`${count} ${word}`] : [];
  });
  const needs = fleet.needs === 0 ? [] : [fleet.needs === 1 ? '1 needs you' : `${fleet.needs} need you`];
  const told = [...needs, ...figures];
  return `Quarterdeck: ${told.length > 0 ? told.join(' · ') : fleet.agents === 0 ? 'no agents' : 'no agent runs'}`;
}

function figure(count: number): string {
  return count > 0 ? ` (${count})` : '';
}

function cut(text: string): string {
  const characters = [...text];
  return characters.length <= MAX_LABEL_CHARS ? text : `${characters.slice(0, MAX_LABEL_CHARS - 1).join('')}…`;
}
