import { describe, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import type { DeliveryState } from '#shared/messages/model.ts';
import type { WakeUpSource } from './wake-ups.ts';
import { WakeUps } from './wake-ups.ts';

type Deliveries = Parameters<Parameters<WakeUpSource['onDeliveries']>[0]>[0];
type Activity = Parameters<Parameters<WakeUpSource['onActivity']>[0]>[0];

const A = AgentId.parse('a');

/** Inboxes that a test fills. */
class Source implements WakeUpSource {
  readonly unread = new Map<string, number>();
  readonly held = new Map<string, number>();
  readonly #deliveries = new Set<(changes: Deliveries) => void>();
  readonly #activity = new Set<(activity: Activity) => void>();

  onDeliveries(listener: (changes: Deliveries) => void) {
    this.#deliveries.add(listener);
    return { dispose: () => void this.#deliveries.delete(listener) };
  }

  onActivity(listener: (activity: Activity) => void) {
    this.#activity.add(listener);
    return { dispose: () => void this.#activity.delete(listener) };
  }

  unreadOf(recipient: string): number {
    return this.unread.get(recipient) ?? 0;
  }

  heldBy(recipient: string): number {
    return this.held.get(recipient) ?? 0;
  }

  get listeners(): number {
    return this.#deliveries.size + this.#activity.size;
  }

  mail(recipient: string): void {
    this.unread.set(recipient, this.unreadOf(recipient) + 1);
    this.change(recipient, 'queued');
  }

  change(recipient: string, state: DeliveryState): void {
    for (const listener of this.#deliveries) listener([{ recipient, state }]);
  }

  look(recipient: string, kind: string, held = 0): void {
    this.held.set(recipient, held);
    for (const listener of this.#activity) listener({ recipient, kind, held });
  }
}

function opened(): { source: Source; wakeUps: WakeUps; hints: number[]; connection: { dispose(): void } } {
  const source = new Source();
  const wakeUps = new WakeUps(source);
  const hints: number[] = [];
  const connection = wakeUps.register(A, ({ unread }) => hints.push(unread));
  return { source, wakeUps, hints, connection };
}

describe('a hint of mail', () => {
  it('comes once, until the agent has looked', () => {
    const { source, hints } = opened();
    source.mail('a');
    source.mail('a');
    source.mail('b');
    expect(hints).toEqual([1]);
    source.look('a', 'taken', 0);
    source.mail('a');
    expect(hints).toEqual([1, 3]);
  });

  it('does not come between an agent and its work, but after it', () => {
    const { source, hints } = opened();
    source.look('a', 'taken', 1);
    source.mail('a');
    source.mail('a');
    expect(hints).toEqual([]);
    source.look('a', 'acknowledged', 0);
    expect(hints).toEqual([2]);
  });

  it('does not come after work when nothing is left to read', () => {
    const { source, hints } = opened();
    source.look('a', 'taken', 1);
    source.mail('a');
    source.unread.set('a', 0);
    source.look('a', 'acknowledged', 0);
    expect(hints).toEqual([]);
  });

  it('goes to every connection of the agent, and again to one that comes later', () => {
    const { source, wakeUps, hints, connection } = opened();
    const other: number[] = [];
    const second = wakeUps.register(A, ({ unread }) => other.push(unread));
    source.mail('a');
    expect([hints, other]).toEqual([[1], [1]]);
    connection.dispose();
    second.dispose();
    second.dispose();
    wakeUps.register(A, ({ unread }) => other.push(unread));
    source.mail('a');
    expect([hints, other]).toEqual([[1], [1, 2]]);
  });

  it('is not given for what is handed out, read or dead', () => {
    const { source, hints } = opened();
    for (const state of ['delivered', 'read', 'dead'] as const) source.change('a', state);
    expect(hints).toEqual([]);
  });

  it('listens to nothing any more when it is disposed', () => {
    const { source, wakeUps, hints } = opened();
    wakeUps.dispose();
    source.mail('a');
    expect([source.listeners, hints]).toEqual([0, []]);
  });
});
