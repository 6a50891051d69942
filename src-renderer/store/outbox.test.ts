import { ORPCError } from '@orpc/client';
import { describe, expect, it } from 'vitest';
import { AgentId, MessageId, mintId } from '#shared/kernel/ids.ts';
import { sampleMessage } from '#renderer/testing/sample-events.ts';
import { answeredOf, answerKey, answerTo } from './answer.ts';
import { Outbox } from './outbox.ts';
import type { OutgoingMessage } from './outgoing-message.ts';

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
  calls = 0;

  outbox(storage: Kept): Outbox {
    return new Outbox({
      storage,
      acknowledge: async (id) => {
        this.acknowledged.push(id);
      },
      client: () => ({
        messages: {
          send: async ({ body, idempotencyKey = '' }) => {
            this.calls += 1;
            if (this.fault === 'away') throw new Error('The line was lost');
            if (this.fault === 'refuses')
              throw new ORPCError('NOT_FOUND', { message: 'There is no agent "ada".', defined: true });
            const isDuplicate = this.stored.has(idempotencyKey);
            if (isDuplicate && this.stored.get(idempotencyKey) !== body)
              throw new ORPCError('CONFLICT', { message: 'Used before with another input.', defined: true });
            this.stored.set(idempotencyKey, body);
            if (this.fault === 'loses the answer') throw new Error('The line was lost');
            const messageId = MessageId.parse(mintId('msg'));
            return { messageId, threadId: messageId, recipients: ['ada'], refused: [], isDuplicate };
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
  delayMs: null,
  replyWithinMs: null,
  inReplyTo: null,
  projectId: null,
  answered: null,
  files: [],
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

  it('sends what is pressed twice once, and lets a changed message take the place of a refused one', async () => {
    const [core, storage] = [new Core(), new Kept()];
    const outbox = core.outbox(storage);
    await Promise.all([outbox.send(message('a')), outbox.send(message('a'))]);
    expect([core.calls, states(outbox)]).toEqual([1, []]);
    core.fault = 'refuses';
    await outbox.send(message('b'));
    core.fault = 'none';
    await outbox.send(message('b', { body: 'mended' }));
    expect(core.stored.get('b')).toBe('mended');
    expect(states(outbox)).toEqual([]);
  });

  it('keeps an answer while the core is away, and takes no second one meanwhile', async () => {
    const [core, storage] = [new Core(), new Kept()];
    const outbox = core.outbox(storage);
    const question = sampleMessage({ kind: 'request', recipients: ['operator'], data: { options: ['Keep', 'Drop'] } });
    core.fault = 'away';
    await outbox.send(answerTo(question, 'Keep'));
    await outbox.send(answerTo(question, 'Drop'));
    expect(outbox.store.getState().entries).toMatchObject([
      { state: 'waiting', message: { body: 'Keep', data: { option: 'Keep' } } },
    ]);
    core.fault = 'none';
    await Promise.all([outbox.resume(), outbox.resume()]);
    expect([...core.stored]).toEqual([[answerKey(question.id), 'Keep']]);
    expect(core.acknowledged).toEqual([question.id]);
  });

  it('says of a second answer that there is one, counts the question as answered, and keeps what was written', async () => {
    const [core, here, there] = [new Core(), new Kept(), new Kept()];
    const question = sampleMessage({ kind: 'request', recipients: ['operator'] });
    await core.outbox(there).send(answerTo(question, 'Yes'));
    const outbox = core.outbox(here);
    await outbox.send(answerTo(question, 'No'));
    const [entry] = outbox.store.getState().entries;
    expect(entry).toMatchObject({ state: 'failed', message: { body: 'No', inReplyTo: question.id } });
    expect(entry?.problem).toContain('has another answer already');
    expect(core.acknowledged).toEqual([question.id, question.id]);
    // Edit: what was written comes back as the answer to the same question.
    const lost = outbox.discard(answerKey(question.id));
    expect(lost === undefined ? undefined : answeredOf(lost)).toMatchObject({ id: question.id, from: 'ada', excerpt: 'hello' });
  });

  it('lets go of what another window discarded or sent, and takes over what a closed one left', async () => {
    const [core, storage] = [new Core(), new Kept()];
    core.fault = 'away';
    const [one, other] = [core.outbox(storage), core.outbox(storage)];
    await one.send(message('a'));
    const late = core.outbox(storage);
    expect(states(late)).toEqual(['waiting']);
    one.discard('a');
    late.takeKept('quarterdeck.outbox.a', null);
    late.takeKept('quarterdeck.theme', null);
    expect(states(late)).toEqual([]);
    await one.send(message('b'));
    core.fault = 'none';
    await other.resume();
    expect([...core.stored.keys()]).toEqual(['b']);
    expect(storage.length).toBe(0);
  });

  it('reads what an older window kept, which did not say what it answers', () => {
    const storage = new Kept();
    const { answered: _, ...older } = message('a', { inReplyTo: MessageId.parse(mintId('msg')) });
    storage.setItem('quarterdeck.outbox.a', JSON.stringify({ ...older, sentAt: 1 }));
    const [entry] = new Core().outbox(storage).store.getState().entries;
    expect(entry && answeredOf(entry.message)).toMatchObject({ id: older.inReplyTo, from: 'ada', to: ['ada'] });
  });

  it('ignores what in the storage is none of its own or was damaged', () => {
    const storage = new Kept();
    storage.setItem('quarterdeck.theme', 'dark');
    storage.setItem('quarterdeck.outbox.x', '{"key":"x"');
    storage.setItem('quarterdeck.outbox.y', '{"key":"y"}');
    expect(new Core().outbox(storage).store.getState().entries).toEqual([]);
  });
});
