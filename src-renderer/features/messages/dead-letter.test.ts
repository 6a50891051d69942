import { expect, it } from 'vitest';
import { sampleMessage } from '#renderer/testing/sample-events.ts';
import type { Delivery, Message } from '#shared/messages/model.ts';
import { deadLettersOf, tallyText } from './dead-letter.ts';

function copy(message: Message, recipient: string, changes: Partial<Delivery>): Delivery {
  return {
    messageId: message.id,
    recipient,
    state: 'queued',
    queuedAt: 1,
    deliveredAt: null,
    readAt: null,
    deadAt: null,
    deadReason: null,
    attempts: 0,
    leasedUntil: null,
    availableAt: 1,
    ...changes,
  };
}

it('puts messages and their dead copies together, and says what the last one died of', () => {
  const [first, second] = [sampleMessage({ to: ['*'], recipients: ['ada', 'ben', 'cleo'] }), sampleMessage()];
  const letters = deadLettersOf(
    [first, second],
    [
      copy(first, 'ada', { state: 'dead', deadAt: 5, deadReason: 'expired' }),
      copy(first, 'ben', { state: 'read', readAt: 2 }),
      copy(first, 'cleo', { state: 'dead', deadAt: 9, deadReason: 'attempts' }),
    ],
  );
  // One that was brought back meanwhile has no dead copy, and is not in the list.
  expect(letters).toHaveLength(1);
  expect(letters[0]).toMatchObject({ message: { id: first.id }, diedAt: 9, reason: 'attempts' });
  expect(letters[0]?.copies.map(({ recipient }) => recipient)).toEqual(['ada', 'cleo']);
});

it('counts in words', () => {
  expect([tallyText(1), tallyText(1_200)]).toEqual(['One dead letter is', '1,200 dead letters are']);
});
