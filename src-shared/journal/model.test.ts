import { describe, expect, it } from 'vitest';
import { mintId } from '#shared/kernel/ids.ts';
import { EventKind, JournalEvent, eventSchemas } from './model.ts';

const envelope = { seq: 1, at: 1, projectId: mintId('prj'), actor: { kind: 'system', id: 'core' }, door: 'core', subject: 'x' };

describe('journal events', () => {
  it('are named feature.what-happened, in the past', () => {
    expect(EventKind.options).toEqual(Object.keys(eventSchemas));
    for (const kind of EventKind.options)
      expect(kind).toMatch(
        /^[a-z]+\.([a-z]+-)*(opened|started|stopped|ended|created|changed|reported|removed|sent|typed|revoked|completed|refused|set|found|dead|retried|taken|released|made|fetched|proved|failed|accepted|used|requested|decided|subscribed|unsubscribed|audited|imported|placed|applied|stored)$/,
      );
  });

  it('carry data that belongs to their kind', () => {
    const event = { ...envelope, kind: 'secret.set', data: { isNew: true } };
    expect(JournalEvent.parse(event)).toEqual(event);
    expect(JournalEvent.safeParse({ ...event, data: { isNew: 'yes' } }).success).toBe(false);
    expect(JournalEvent.safeParse({ ...event, kind: 'secret.shown' }).success).toBe(false);
    expect(JournalEvent.safeParse({ ...event, seq: 0 }).success).toBe(false);
    expect(JournalEvent.safeParse({ ...event, door: 'window' }).success).toBe(false);
  });

  it('drop what their kind does not know: no value of a secret can slip in', () => {
    const event = { ...envelope, kind: 'secret.set', data: { isNew: true, value: 'hunter2' } };
    expect(JSON.stringify(JournalEvent.parse(event))).not.toContain('hunter2');
  });
});
