import { ORPCError } from '@orpc/client';
import { describe, expect, it } from 'vitest';
import { AgentId, MessageId, mintId } from '#shared/kernel/ids.ts';
import { Outbox } from './outbox.ts';
import type { OutgoingMessage } from './outbox.ts';

/** What localStorage does, in memory. */
class Kept {
  readonly #items = new Map<string, string>();
  get length(): number {
    return this.#items.size;
  }
  key(at: number): string | null {
    return [...this.#items.keys()][at] ?? null;
  }
  getItem(name: string): string | null {
    return this.#items.get(name) ?? null;
  }
  setItem(name: string, text: string): void {
    this.#items.set(name, text);
  }
  removeItem(name: string): void {
    this.#items.delete(name);
  }
}

/** A core that stores by key, and may refuse, or lose its answer. */
class Core {
  readonly stored = new Map<string, string>();
  readonly acknowledged: string[] = [];
  fault: 'none' | 'refuses' | 'away' | 'loses the answer' = 'none';

  outbox(storage: Kept): Outbox {
    return new Outbox({
      storage,
      acknowledge: async (id) => {
        this.acknowledged.push(id);
      },
      client: () => ({
        messages: {
          send: async ({ body, idempotencyKey = '' }) => {
            if (this.fault === 'away') throw new Error('The line was lost');
            if (this.fault === 'refuses')
              throw new ORPCError('NOT_FOUND', { message: 'There is no agent "ada".', defined: true });
            const isDuplicate = this.stored.has(idempotencyKey);
            this.stored.set(idempotencyKey, body);
            if (this.fault === 'loses the answer') throw new Error('The line was lost');
            const messageId = MessageId.parse(mintId('msg'));
            return { messageId, threadId: messageId, recipients: ['ada'], isDuplicate };
          },
        },
      }),
    });
  }
}

const message = (key: string, changes: Partial<OutgoingMessage> = {}): Omit<OutgoingMessage, 'sentAt'> => ({
  key,
  to: [AgentId.parse('ada')],
  body: `body of ${key}`,
  kind: 'note',
  priority: 'normal',
  subject: null,
  data: null,
  ttlMs: null,
  inReplyTo: null,
  projectId: null,
  ...changes,
});
const states = (outbox: Outbox): readonly string[] => outbox.store.getState().entries.map(({ state }) => state);

describe('the outbox', () => {
  it('lets go of what the core has, and marks what was answered', async () => {
    const [core, storage] = [new Core(), new Kept()];
    const outbox = core.outbox(storage);
    const inReplyTo = MessageId.parse(mintId('msg'));
    const sending = outbox.send(message('a', { inReplyTo }));
    expect(states(outbox)).toEqual(['sending']);
    await sending;
    expect(states(outbox)).toEqual([]);
    expect(storage.length).toBe(0);
    expect(core.acknowledged).toEqual([inReplyTo]);
  });

  it('sends again after a lost answer, a reload and a new line, and it is stored once', async () => {
    const [core, storage] = [new Core(), new Kept()];
    core.fault = 'loses the answer';
    await core.outbox(storage).send(message('a'));
    core.fault = 'away';
    const reloaded = core.outbox(storage);
    expect(states(reloaded)).toEqual(['waiting']);
    await reloaded.resume();
    expect(states(reloaded)).toEqual(['waiting']);
    core.fault = 'none';
    await reloaded.resume();
    expect(states(reloaded)).toEqual([]);
    expect([...core.stored]).toEqual([['a', 'body of a']]);
    expect(core.outbox(storage).store.getState().entries).toEqual([]);
  });

  it('keeps what was refused for the operator, with the reason, and does not repeat it by itself', async () => {
    const [core, storage] = [new Core(), new Kept()];
    const outbox = core.outbox(storage);
    core.fault = 'refuses';
    await outbox.send(message('a'));
    expect(outbox.store.getState().entries).toMatchObject([{ state: 'failed', problem: 'There is no agent "ada".' }]);
    core.fault = 'none';
    await outbox.resume();
    expect(states(outbox)).toEqual(['failed']);
    expect(outbox.discard('a')?.body).toBe('body of a');
    expect(storage.length).toBe(0);
    await outbox.send(message('b'));
    expect([...core.stored.keys()]).toEqual(['b']);
  });

  it('ignores what in the storage is none of its own or was damaged', () => {
    const storage = new Kept();
    storage.setItem('quarterdeck.theme', 'dark');
    storage.setItem('quarterdeck.outbox.x', '{"key":"x"');
    storage.setItem('quarterdeck.outbox.y', '{"key":"y"}');
    expect(new Core().outbox(storage).store.getState().entries).toEqual([]);
  });
});
