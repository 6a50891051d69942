import { describe, expect, it } from 'vitest';
import { sampleMessage } from '#renderer/testing/sample-events.ts';
import type { Copies } from '#renderer/store/message-filter.ts';
import type { Delivery, Message } from '#shared/messages/model.ts';
import type { DeliveryFacts } from './message-words.ts';
import { deliveryLook, kindText, namesOf, spanText, tookText } from './message-words.ts';

const NO_FACTS: DeliveryFacts = { repliedAt: undefined, isForYou: false, isAwaited: false, status: undefined, now: 0 };

function copy(message: Message, recipient: string, changes: Partial<Delivery>): Delivery {
  return {
    messageId: message.id,
    recipient,
    state: 'queued',
    queuedAt: message.sentAt,
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

function copies(message: Message, all: readonly Partial<Delivery>[]): Copies {
  return Object.fromEntries(
    all.map((changes, index) => {
      const recipient = message.recipients[index] ?? '';
      return [recipient, copy(message, recipient, changes)];
    }),
  );
}

const one = sampleMessage({ sentAt: 1_000 });
const three = sampleMessage({ sentAt: 1_000, to: ['*'], recipients: ['ada', 'ben', 'cleo'] });
const read = { state: 'read', deliveredAt: 1_300, readAt: 2_400 } as const;

describe('deliveryLook', () => {
  it('says nothing that is not known', () => {
    expect(deliveryLook(one, undefined, NO_FACTS)).toMatchObject({ words: 'stored', steps: [] });
    expect(deliveryLook(sampleMessage({ recipients: [] }), undefined, NO_FACTS).words).toBe('nobody there');
    expect(deliveryLook(one, copies(one, [{ state: 'read' }]), NO_FACTS)).toMatchObject({ words: 'acknowledged', steps: [] });
  });

  it('shows the steps with their times', () => {
    expect(deliveryLook(one, copies(one, [{}]), { ...NO_FACTS, status: 'working' }).words).toBe('queued, agent is working');
    expect(deliveryLook(one, copies(one, [read]), NO_FACTS)).toMatchObject({
      words: 'acknowledged',
      steps: ['delivered +0.3s', 'ack +1.4s'],
    });
    expect(deliveryLook(one, copies(one, [read]), { ...NO_FACTS, repliedAt: 381_000 }).words).toBe('replied in 6m 20s');
  });

  it('counts the copies of a broadcast', () => {
    expect(deliveryLook(three, copies(three, [read, read, { ...read, readAt: 5_100 }]), NO_FACTS)).toMatchObject({
      words: 'acknowledged 3 of 3',
      steps: ['slowest 4.1s'],
    });
    expect(deliveryLook(three, copies(three, [read, { state: 'delivered' }, {}]), NO_FACTS)).toMatchObject({
      words: 'acknowledged 1 of 3',
      steps: ['1 delivered', '1 queued'],
    });
  });

  it('names the reason of a death', () => {
    const dead = { state: 'dead', deadReason: 'expired', deadAt: 601_000 } as const;
    expect(deliveryLook(one, copies(one, [dead]), NO_FACTS)).toMatchObject({
      tone: 'dead',
      words: 'dead: expired',
      steps: ['after 10 min'],
    });
    expect(deliveryLook(three, copies(three, [read, dead, dead]), NO_FACTS)).toMatchObject({
      words: '2 of 3 dead: expired',
      steps: ['after 10 min', 'acknowledged 1'],
    });
  });

  it('asks for the operator only where an agent asks', () => {
    const question = sampleMessage({ kind: 'request', to: ['operator'], recipients: ['operator'] });
    const facts = { ...NO_FACTS, isForYou: true };
    const awaited = { ...facts, isAwaited: true };
    expect(deliveryLook(question, copies(question, [{}]), awaited)).toMatchObject({ tone: 'needs', words: 'waiting for you' });
    // The agent has ended: nobody waits for this answer.
    expect(deliveryLook(question, copies(question, [{}]), facts)).toMatchObject({ tone: 'quiet', words: 'unread' });
    const note = sampleMessage({ to: ['operator'], recipients: ['operator'] });
    expect(deliveryLook(note, copies(note, [{}]), facts)).toMatchObject({ tone: 'quiet', words: 'unread' });
  });
});

describe('a copy that is not on its first way', () => {
  it('is queued again, or held back, or was taken back', () => {
    expect(deliveryLook(one, copies(one, [{ attempts: 2 }]), NO_FACTS)).toMatchObject({
      words: 'queued again',
      steps: ['handed out 2 times'],
    });
    const later = sampleMessage({ sentAt: 1_000, notBefore: 5_000 });
    expect(deliveryLook(later, copies(later, [{}]), { ...NO_FACTS, now: 4_000 }).words).toBe('held back');
    expect(deliveryLook(later, copies(later, [{}]), { ...NO_FACTS, now: 6_000 }).words).toBe('queued');
    const third = { ...read, attempts: 3 };
    expect(deliveryLook(one, copies(one, [third]), NO_FACTS).words).toBe('acknowledged, try 3');
    const cancelled = { state: 'dead', deadReason: 'cancelled', deadAt: 2_000 } as const;
    expect(deliveryLook(one, copies(one, [cancelled]), NO_FACTS)).toMatchObject({ tone: 'quiet', words: 'taken back' });
    const given = { state: 'dead', deadReason: 'attempts', deadAt: 2_000 } as const;
    expect(deliveryLook(one, copies(one, [given]), NO_FACTS).words).toBe('dead: not acknowledged');
  });
});

describe('words', () => {
  it('are short', () => {
    expect(namesOf(['operator'])).toBe('you');
    expect(namesOf(['topic:health.api', 'capability:tests'])).toBe('topic health.api and capability tests');
    expect(namesOf(['ada', 'ben'])).toBe('ada and ben');
    expect(namesOf(['a', 'b', 'c', 'd', 'e'])).toBe('a, b and 3 more');
    expect([tookText(300), tookText(380_000)]).toEqual(['0.3s', '6m 20s']);
    expect([spanText(5_000), spanText(600_000), spanText(7_200_000), spanText(172_800_000)]).toEqual([
      '5 s',
      '10 min',
      '2 h',
      '2 d',
    ]);
    expect(kindText(three)).toBe('broadcast to 3');
    expect(kindText(one)).toBe('direct');
  });
});
