/** A sequence diagram of messages: who is a lane, and which arrow goes from where to where. Pure; pixels. */
import type { DeliveryTable } from '#renderer/store/message-feed.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { Message } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { nameOf, namesOf } from './message-words.ts';

/** The width that lanes share; the times stand to the right of it. */
const LANES_PX = 352;
/** Lanes beside one another; who comes later shares the last one. */
const MOST_LANES = 5;
const FIRST_ROW_PX = 50;
const ROW_PX = 32;
/** A character of the label's face, on average: enough to cut a label that does not fit. */
const CHAR_PX = 6.4;

/** Who takes part. */
export interface Lane {
  readonly names: readonly string[];
  readonly label: string;
  readonly x: number;
}

/** One message. */
export interface Arrow {
  readonly message: Message;
  readonly y: number;
  readonly fromX: number;
  /** Where heads are drawn; the line goes to the farthest on each side. */
  readonly toXs: readonly number[];
  readonly label: string;
  readonly labelX: number;
  readonly isReply: boolean;
  readonly isDead: boolean;
  /** The same in words, for those who cannot see it. */
  readonly words: string;
}

/** A diagram. */
export interface Sequence {
  readonly lanes: readonly Lane[];
  readonly arrows: readonly Arrow[];
  readonly height: number;
}

/** Lays messages out, oldest first. */
export function sequenceOf(messages: readonly Message[], deliveries: DeliveryTable): Sequence {
  const lanes = lanesOf(messages);
  const laneOf = (name: string): number => lanes.find(({ names }) => names.includes(name))?.x ?? 0;
  const arrows = messages.map((message, row): Arrow => {
    const fromX = laneOf(message.from.id);
    const toXs = [...new Set(message.recipients.map(laneOf))].filter((x) => x !== fromX);
    const ends = [fromX, ...toXs];
    const [left, right] = [Math.min(...ends), Math.max(...ends)];
    const copies = deliveries[message.id];
    const isDead = message.recipients.some((recipient) => ownEntry(copies ?? {}, recipient)?.state === 'dead');
    const text = visibleText(message.subject ?? message.body)
      .replaceAll('`', '')
      .replaceAll(/\s+/g, ' ')
      .trim();
    const label = cut(text === '' ? message.kind : text, Math.max(right - left - 12, 70));
    return {
      message,
      y: FIRST_ROW_PX + row * ROW_PX,
      fromX,
      toXs,
      label,
      labelX: toXs.length === 0 ? Math.min(fromX + 44, LANES_PX - 30) : (left + right) / 2,
      isReply: message.kind === 'reply',
      isDead,
      words: `${nameOf(message.from.id)} to ${namesOf(message.recipients)}: ${text.slice(0, 120)}${isDead ? ' (dead)' : ''}`,
    };
  });
  return { lanes, arrows, height: FIRST_ROW_PX + messages.length * ROW_PX };
}

function lanesOf(messages: readonly Message[]): readonly Lane[] {
  const names = [...new Set(messages.flatMap(({ from, recipients }) => [from.id, ...recipients]))];
  const own = names.slice(0, names.length > MOST_LANES ? MOST_LANES - 1 : MOST_LANES);
  const others = names.slice(own.length);
  const groups = [...own.map((name) => [name]), ...(others.length === 0 ? [] : [others])];
  const gap = groups.length < 2 ? 0 : Math.min((LANES_PX - 118) / (groups.length - 1), 200);
  return groups.map((group, index) => {
    const [first = ''] = group;
    const label = group.length === 1 ? nameOf(first) : `${group.length} others`;
    return { names: group, label: cut(label, Math.max(gap - 6, 84)), x: 44 + index * gap };
  });
}

function cut(text: string, px: number): string {
  const most = Math.floor(px / CHAR_PX);
  return text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 1)).trimEnd()}…`;
}
