import { describe, expect, it } from 'vitest';
import { sampleMessage } from '#renderer/testing/sample-events.ts';
import { deliveryLook } from './delivery-look.ts';

describe('deliveryLook', () => {
  it('says where a message stands, and does not guess', () => {
    const one = sampleMessage({ recipients: ['ben'] });
    const two = sampleMessage({ recipients: ['ben', 'cleo'] });
    const cases = [
      [deliveryLook(one, undefined), 'stored'],
      [deliveryLook(one, { ben: 'queued' }), 'queued'],
      [deliveryLook(one, { ben: 'delivered' }), 'delivered'],
      [deliveryLook(one, { ben: 'read' }), 'acknowledged'],
      [deliveryLook(two, { ben: 'read' }), 'acknowledged 1 of 2'],
      [deliveryLook(two, { ben: 'queued', cleo: 'delivered' }), 'queued'],
      [deliveryLook(two, { ben: 'queued' }), 'stored'],
      [deliveryLook(two, { ben: 'read', cleo: 'read' }), 'acknowledged 2 of 2'],
      [deliveryLook(sampleMessage({ recipients: [] }), undefined), 'nobody there'],
    ] as const;
    for (const [look, words] of cases) expect(look.words).toBe(words);
  });
});
