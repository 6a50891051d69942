import { describe, expect, it } from 'vitest';
import type { Delivery } from '#shared/messages/model.ts';
import { MessageId } from '#shared/kernel/ids.ts';
import { clockTime } from '#renderer/ui/format-time.ts';
import { openRecipients, pathOf, reasonText } from './delivery-path.ts';

const NOW = 1_700_000_000_000;

function copy(changes: Partial<Delivery>): Delivery {
  return {
    messageId: MessageId.parse('msg_0197a2b4-6c58-7000-8000-000000000001'),
    recipient: 'ben',
    state: 'queued',
    queuedAt: NOW - 60_000,
    deliveredAt: null,
    readAt: null,
    deadAt: null,
    deadReason: null,
    attempts: 0,
    leasedUntil: null,
    availableAt: NOW - 60_000,
    ...changes,
  };
}

const steps = (changes: Partial<Delivery>): string[] => pathOf(copy(changes), NOW).map(({ name, state }) => `${name} ${state}`);
const notes = (changes: Partial<Delivery>): (string | undefined)[] => pathOf(copy(changes), NOW).map(({ note }) => note);

describe('pathOf', () => {
  it('lists what was done and what is ahead', () => {
    expect(steps({})).toEqual(['queued done', 'delivered open', 'acknowledged open']);
    expect(steps({ state: 'delivered', deliveredAt: NOW, attempts: 1 })).toEqual([
      'queued done',
      'delivered done',
      'acknowledged open',
    ]);
    expect(steps({ state: 'read', deliveredAt: NOW, readAt: NOW, attempts: 1 }).at(-1)).toBe('acknowledged done');
  });

  it('says until when a copy is held back, and until when its recipient has it', () => {
    expect(steps({ availableAt: NOW + 5_000 })).toEqual(['queued done', 'held back now', 'delivered open', 'acknowledged open']);
    const leased = { state: 'delivered', deliveredAt: NOW, attempts: 3, leasedUntil: NOW + 9_000 } as const;
    expect(steps(leased)).toEqual(['queued done', 'delivered done', 'leased now', 'acknowledged open']);
    expect(notes(leased)).toEqual([undefined, '3 of 10 times', `until ${clockTime(NOW + 9_000)}`, undefined]);
  });

  it('says that it is in the queue again, also when only its lease has ended', () => {
    const again = { attempts: 2, deliveredAt: null, availableAt: NOW + 2_000 } as const;
    expect(steps(again)).toEqual(['queued done', 'delivered done', 'queued again now', 'acknowledged open']);
    expect(notes(again)[2]).toBe(`handed out from ${clockTime(NOW + 2_000)} on`);
    expect(steps({ state: 'delivered', deliveredAt: 1, attempts: 1, leasedUntil: NOW - 1 })[2]).toBe('queued again now');
  });

  it('ends with what it died of', () => {
    expect(steps({ state: 'dead', deadAt: NOW, deadReason: 'expired' })).toEqual(['queued done', 'expired failed']);
    expect(steps({ state: 'dead', deadAt: NOW, deadReason: 'cancelled' }).at(-1)).toBe('cancelled failed');
    expect(steps({ state: 'dead', deadAt: NOW, deadReason: 'attempts', attempts: 10 })).toEqual([
      'queued done',
      'delivered done',
      'dead failed',
    ]);
    expect(reasonText('attempts')).toBe('handed out 10 times, never acknowledged');
    expect(reasonText('something new')).toBe('something new');
  });
});

it('knows who can still be kept from getting a message', () => {
  const copies: Readonly<Record<string, Delivery>> = {
    ada: copy({ state: 'read' }),
    ben: copy({}),
    cleo: copy({ state: 'delivered' }),
    dan: copy({ state: 'dead' }),
  };
  expect(openRecipients(['ada', 'ben', 'cleo', 'dan', 'eve'], (name) => copies[name])).toEqual(['ben', 'cleo']);
});
