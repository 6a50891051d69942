import { expect, it } from 'vitest';
import type { Delivery } from '#shared/messages/model.ts';
import { MessageId } from '#shared/kernel/ids.ts';
import { clockTime } from '#renderer/ui/format-time.ts';
import { charsText, fillOf, fillText, isReady, standText } from './queue-words.ts';

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

it('says where each message stands', () => {
  expect(standText(copy({}), NOW, true)).toBe('next');
  expect(standText(copy({}), NOW, false)).toBe('queued');
  expect(standText(copy({ availableAt: NOW + 1 }), NOW, true)).toBe(`held back until ${clockTime(NOW + 1)}`);
  expect(standText(copy({ state: 'delivered', leasedUntil: NOW + 1 }), NOW, true)).toBe(`has it until ${clockTime(NOW + 1)}`);
  expect(standText(copy({ state: 'delivered' }), NOW, true)).toBe('seen, not acknowledged');
  expect([isReady(copy({}), NOW), isReady(copy({ availableAt: NOW + 1 }), NOW)]).toEqual([true, false]);
});

it('says how full it is', () => {
  const counts = { queued: 3, delayed: 2, unread: 5, oldestQueuedAt: 1 };
  const queue = { counts, chars: 1_500_000, limits: { messages: 10_000, chars: 3_000_000, attempts: 10 } };
  expect(fillText(queue)).toBe('7 of 10,000 messages, 1.5 M of 3.0 M characters');
  expect(fillOf(queue)).toBe(0.5);
  expect([charsText(812), charsText(12_300)]).toEqual(['812', '12 K']);
});
