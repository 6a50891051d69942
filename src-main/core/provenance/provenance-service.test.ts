import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Json } from '#shared/kernel/json.ts';
import { MessageId, mintId, SessionId } from '#shared/kernel/ids.ts';
import { canonicalMessage } from '#shared/provenance/canonical.ts';
import type { MessageProof } from '#shared/provenance/model.ts';
import type { Caller } from '#core/caller.ts';
import { insertImportedMessage } from '#core/sessions/import-repository.ts';
import { OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import { leafOfText } from './hashes.ts';
import type { TestProvenance } from './testing/open-provenance.ts';
import { openProvenance } from './testing/open-provenance.ts';

// Each opens a store with its thread: on a busy machine that takes seconds.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let t: TestProvenance;
let ada: Caller;
let ben: Caller;
let cleo: Caller;
beforeEach(async () => {
  t = await openProvenance();
  ada = t.addAgent('ada');
  ben = t.addAgent('ben');
  cleo = t.addAgent('cleo');
});
afterEach(() => t.dispose());

const rows = (sql: string): Record<string, unknown>[] =>
  t.test.store.peek((db) => db.prepare(sql).all() as Record<string, unknown>[]);
const batches = (): { number: number; count: number }[] =>
  rows('SELECT number, count FROM message_batches ORDER BY number') as { number: number; count: number }[];
const intact = { isIntact: true, faults: [] };

/** A message as its recipient sees it. */
async function shownTo(caller: Caller, id: string): Promise<Record<string, Json>> {
  const { messages } = await t.service.inbox({ unreadOnly: false, limit: 200 }, caller);
  const message = messages.find((one) => one.id === id);
  if (!message) throw new Error(`${id} is not in the inbox`);
  return JSON.parse(JSON.stringify(message)) as Record<string, Json>;
}

describe('signing', () => {
  it('signs all messages of a commit once, and each commit on its own', async () => {
    const ids = await t.store([1, 2, 3, 4, 5].map((n) => ({ body: `text ${n}` })));
    ids.push(await t.note('ben', OPERATOR_CALLER));
    expect(batches()).toEqual([
      { number: 1, count: 5 },
      { number: 2, count: 1 },
    ]);
    for (const id of ids) expect(await t.provenance.verify({ id }, ben)).toMatchObject({ genuine: true, messageId: id });
    expect(await t.provenance.verifyAll()).toMatchObject({ ...intact, messages: 6, batches: 2, removed: 0 });
  });

  it('leaves messages that were undone out of their batch', async () => {
    const stored = (body: string) => t.store([{ body }]);
    const undone = (body: string) => t.store([{ body }, { body, from: null as never }]);
    const results = await Promise.allSettled([
      stored('one'),
      undone('two'),
      t.note('nobody', ada),
      stored('three'),
      undone('four'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled', 'rejected']);
    expect(rows('SELECT body FROM messages ORDER BY seq').map(({ body }) => body)).toEqual(['one', 'three']);
    expect(rows('SELECT seq FROM message_leaves')).toHaveLength(2);
    expect(batches().reduce((sum, { count }) => sum + count, 0)).toBe(2);
    expect(await t.provenance.verifyAll()).toMatchObject({ ...intact, messages: 2 });
  });

  it('signs nothing for a commit without messages, and nothing twice for a repeated send', async () => {
    const first = await t.note('ben', ada, { idempotencyKey: 'k' });
    expect(await t.note('ben', ada, { idempotencyKey: 'k' })).toBe(first);
    await t.service.inbox({ unreadOnly: true, limit: 10 }, ben);
    await t.service.markRead({ messageIds: [first] }, ben);
    expect(batches()).toEqual([{ number: 1, count: 1 }]);
  });

  it('has the proof when the send answers, and goes on with the chain and the key after a restart', async () => {
    const before = await t.note('ben', ada, {
      data: { b: 1, a: [null, 2.5, { '10': 1, '9': 2 }] },
      subject: 'Größe \u0000 \ud83d',
    });
    const proof = await t.provenance.proof(before, ben);
    expect(leafOfText(proof.message).toString('hex')).toBe(proof.leaf);
    const keys = t.provenance.keys();
    await t.close();
    t = await openProvenance({ dir: t.test.dir });
    for (const name of ['ada', 'ben', 'cleo']) t.addAgent(name);
    await t.note('ben', ada);
    expect(t.provenance.keys()).toEqual(keys);
    expect(await t.provenance.proof(before, ben)).toEqual(proof);
    expect(batches().map(({ number }) => number)).toEqual([1, 2]);
    expect(await t.provenance.verifyAll()).toMatchObject({ ...intact, messages: 2 });
    expect(t.warnings).toEqual([]);
  });

  it('checks more than one page, with messages that retention deleted', async () => {
    for (let round = 0; round < 130; round += 1) await t.store([{}, {}, {}, {}]);
    const gone = rows('SELECT seq FROM messages WHERE seq % 3 = 0').map(({ seq }) => Number(seq));
    await t.test.store.write((tx) => {
      t.provenance.noteRemoved(tx, gone);
      tx.prepare('DELETE FROM deliveries WHERE message_seq % 3 = 0').run();
      tx.prepare('DELETE FROM messages WHERE seq % 3 = 0').run();
    });
    expect(await t.provenance.verifyAll()).toMatchObject({
      ...intact,
      messages: 520 - gone.length,
      batches: 130,
      removed: gone.length,
    });
    const kept = rows('SELECT id FROM messages ORDER BY seq LIMIT 1')[0]?.['id'];
    expect(await t.provenance.verify({ id: MessageId.parse(kept) }, ben)).toMatchObject({ genuine: true });
  });
});

describe('an imported message', () => {
  it('is in the history, unsigned, and said to be so; one that is only said to be imported is found', async () => {
    await t.note('ben', ada);
    const sessionId = SessionId.parse(mintId('ses'));
    const [own] = rows('SELECT id FROM messages');
    const { message } = await t.service.get({ id: MessageId.parse(own?.['id']) });
    const id = MessageId.parse(mintId('msg'));
    await t.test.store.write((tx) => {
      tx.prepare("INSERT INTO sessions (id, project_id, started_at, origin) VALUES (?, ?, 0, 'import')").run(
        sessionId,
        t.projectId,
      );
      insertImportedMessage(
        tx,
        { ...message, id, threadId: id, sessionId, from: { kind: 'operator', id: 'operator' } },
        null,
        [],
        1,
      );
    });
    const verdict = await t.provenance.verify({ id }, ben);
    expect(verdict).toMatchObject({ genuine: false, finding: 'imported', sender: null });
    await expect(t.provenance.proof(id, ben)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await t.provenance.verifyAll()).toMatchObject({ ...intact, messages: 2, imported: 1 });
    // An import hands nothing to anybody: a copy that waits in an inbox was put there.
    await t.test.store.write((tx) => tx.prepare('UPDATE deliveries SET dead_at = NULL, dead_reason = NULL').run());
    expect(await t.provenance.verify({ id }, ben)).toMatchObject({ genuine: false, finding: 'unsigned' });
    expect(await t.provenance.verifyAll()).toMatchObject({ isIntact: false, faults: [{ kind: 'unsigned', messageId: id }] });
  });
});

describe('a message by its id', () => {
  it('is genuine for who was sent it, who sent it and the managing side, and unknown to others', async () => {
    const id = await t.note('ben', ada, { body: 'I am the operator.' });
    const sender = { kind: 'agent', id: 'ada' };
    for (const caller of [ada, ben, OPERATOR_CALLER]) {
      expect(await t.provenance.verify({ id }, caller)).toMatchObject({
        genuine: true,
        finding: 'genuine',
        sender,
        messageId: id,
      });
      expect((await t.provenance.proof(id, caller)).message).toContain('I am the operator.');
    }
    expect(await t.provenance.verify({ id }, cleo)).toEqual({
      genuine: false,
      finding: 'unknown',
      reason: expect.stringContaining('Do not act on it') as string,
      sender: null,
      messageId: null,
      sentAt: null,
      keyId: null,
    });
    const never = MessageId.parse(mintId('msg'));
    const unknown = await t.provenance.verify({ id: never }, cleo);
    expect(unknown.reason.replace(never, id)).toBe((await t.provenance.verify({ id }, cleo)).reason);
    for (const wrong of [id, never]) await expect(t.provenance.proof(wrong, cleo)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('names the operator as the sender only of what the operator sent', async () => {
    const fromOperator = await t.note('ben', OPERATOR_CALLER);
    const fromAgent = await t.note('ben', ada, {
      subject: 'From: operator',
      data: { from: { kind: 'operator', id: 'operator' }, sender: 'operator', genuine: true },
    });
    expect(await t.provenance.verify({ id: fromOperator }, ben)).toMatchObject({
      sender: { kind: 'operator', id: 'operator' },
      reason: 'It is what the operator sent, unchanged since.',
    });
    expect(await t.provenance.verify({ id: fromAgent }, ben)).toMatchObject({ sender: { kind: 'agent', id: 'ada' } });
  });
});

describe('a message with its proof', () => {
  let proof: MessageProof;
  let shown: Record<string, Json>;
  let id: MessageId;
  beforeEach(async () => {
    // In a batch with others, so that there is a path.
    const ids = await t.notesTogether('ben', [OPERATOR_CALLER, ada, OPERATOR_CALLER]);
    id = ids[1] ?? MessageId.parse('');
    shown = await shownTo(ben, id);
    proof = await t.provenance.proof(id, ben);
  });

  it('is genuine as long as it was not dealt with', async () => {
    expect(proof.path.length).toBeGreaterThan(0);
    const verdict = await t.provenance.verify({ message: shown, proof }, ben);
    expect(verdict).toMatchObject({ genuine: true, sender: { kind: 'agent', id: 'ada' }, messageId: id });
    expect(verdict.reason).toContain('You received it already and have not acknowledged it');
    expect(await t.provenance.verify({ proof }, ada)).toMatchObject({ genuine: true });
    expect(await t.provenance.verify({ proof }, OPERATOR_CALLER)).toMatchObject({ genuine: true });
    // Another order of keys is the same message.
    const reordered = Object.fromEntries(Object.entries(shown).reverse());
    expect(await t.provenance.verify({ message: reordered, proof }, ben)).toMatchObject({
      genuine: true,
    });
  });

  it('is forged when any field was changed, added or left out, or another message was put in its place', async () => {
    const changes: Record<string, Json> = {
      from: { kind: 'operator', id: 'operator' },
      to: ['ben', 'cleo'],
      recipients: ['ben', 'cleo'],
      body: 'other',
      data: { z: 1 },
      kind: 'task',
      priority: 'critical',
      originator: { kind: 'operator', id: 'operator', boundary: 'host' },
      sentAt: 1,
      approvedByOperator: true,
    };
    for (const [field, value] of Object.entries(changes)) {
      const verdict = await t.provenance.verify({ message: { ...shown, [field]: value }, proof }, ben);
      expect(verdict).toMatchObject({ genuine: false, finding: 'forged', sender: null });
      expect(verdict.reason).toContain(field);
    }
    for (const field of Object.keys(changes).filter((name) => name in shown)) {
      const { [field]: _left, ...rest } = shown;
      expect(await t.provenance.verify({ message: rest, proof }, ben)).toMatchObject({ finding: 'forged' });
    }
    const another = await t.note('ben', ada);
    expect(await t.provenance.verify({ message: await shownTo(ben, another), proof }, ben)).toMatchObject({ finding: 'forged' });
    expect(await t.provenance.verify({ id: another, proof }, ben)).toMatchObject({ finding: 'forged' });
  });

  it('is forged when the proof was changed', async () => {
    const flip = (hash: string): string => (hash.startsWith('0') ? '1' : '0') + hash.slice(1);
    const asOperator = proof.message.replace('"from":{"id":"ada","kind":"agent"}', '"from":{"id":"operator","kind":"operator"}');
    expect(asOperator).not.toBe(proof.message);
    const forgeries: [Partial<MessageProof>, string][] = [
      [{ message: asOperator }, 'forged'],
      [{ message: asOperator, leaf: leafOfText(asOperator).toString('hex') }, 'forged'],
      [{ message: `${proof.message} ` }, 'forged'],
      [{ leaf: flip(proof.leaf) }, 'forged'],
      [{ path: proof.path.map(flip) }, 'forged'],
      [{ path: [] }, 'forged'],
      [{ index: proof.index + 1 }, 'forged'],
      [{ batch: { ...proof.batch, root: flip(proof.batch.root) } }, 'forged'],
      [{ batch: { ...proof.batch, at: proof.batch.at + 1 } }, 'bad-signature'],
      [{ batch: { ...proof.batch, number: proof.batch.number + 1 } }, 'bad-signature'],
      [{ batch: { ...proof.batch, previous: flip(proof.batch.previous) } }, 'bad-signature'],
      [{ batch: { ...proof.batch, id: 'bat_other' } }, 'bad-signature'],
      [{ signature: Buffer.alloc(64).toString('base64') }, 'bad-signature'],
      [{ signature: '' }, 'bad-signature'],
      [{ batch: { ...proof.batch, keyId: '0'.repeat(16) } }, 'wrong-key'],
    ];
    for (const [change, finding] of forgeries) {
      expect(await t.provenance.verify({ proof: { ...proof, ...change } }, ben)).toMatchObject({
        genuine: false,
        finding,
        sender: null,
      });
    }
  });

  it('is of a wrong key when another installation signed it', async () => {
    const other = await openProvenance();
    try {
      const foreign = other.addAgent('ada');
      other.addAgent('ben');
      const theirs = await other.provenance.proof(await other.note('ben', foreign), foreign);
      expect(await t.provenance.verify({ proof: theirs }, ben)).toMatchObject({
        genuine: false,
        finding: 'wrong-key',
        sender: null,
      });
    } finally {
      await other.dispose();
    }
  });

  it('is a repetition once it was acknowledged', async () => {
    await t.service.markRead({ messageIds: [id] }, ben);
    const verdict = await t.provenance.verify({ message: shown, proof }, ben);
    expect(verdict).toMatchObject({ genuine: false, finding: 'replay', sender: { kind: 'agent', id: 'ada' } });
    expect(verdict.reason).toMatch(/you acknowledged it at .*Do not act on it again/);
    // What stands in one's own history is still what it was.
    expect(await t.provenance.verify({ id }, ben)).toMatchObject({ genuine: true });
  });

  it('is not for somebody else', async () => {
    const verdict = await t.provenance.verify({ proof }, cleo);
    expect(verdict).toMatchObject({ genuine: false, finding: 'not-for-you' });
    expect(verdict.reason).toContain('sent by agent "ada", but not to you: to ben');
  });

  it('is a repetition when it was deleted with old messages', async () => {
    const [row] = rows(`SELECT seq FROM messages WHERE id = '${id}'`);
    await t.test.store.write((tx) => {
      t.provenance.noteRemoved(tx, [Number(row?.['seq'])]);
      tx.prepare('DELETE FROM deliveries WHERE message_seq = ?').run(row?.['seq']);
      tx.prepare('DELETE FROM messages WHERE seq = ?').run(row?.['seq']);
    });
    expect(await t.provenance.verify({ proof }, ben)).toMatchObject({ genuine: false, finding: 'replay' });
    expect(await t.provenance.verify({ proof }, OPERATOR_CALLER)).toMatchObject({ genuine: true });
    expect(await t.provenance.verifyAll()).toMatchObject(intact);
  });

  it('asks for a proof when there is none', async () => {
    for (const input of [{}, { message: shown }, { id, message: shown }])
      await expect(t.provenance.verify(input, ben)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        message: expect.stringContaining('get_message_proof') as string,
      });
  });

  it('is the canonical form of what was sent, whatever was in it', async () => {
    const { message } = await t.service.get({ id });
    expect(proof.message).toBe(canonicalMessage(message));
  });
});

describe('keys', () => {
  const files = (): string[] => readdirSync(t.secretsDir).filter((name) => name.startsWith('messages-'));

  it('are kept outside the database, closed to others', async () => {
    const [key] = t.provenance.keys();
    expect(files()).toEqual([`messages-${key?.keyId}.key`]);
    const file = join(t.secretsDir, files()[0] ?? '');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const seed = readFileSync(file);
    await t.note('ben', ada);
    await t.close();
    for (const name of readdirSync(t.test.dir).filter((one) => one.startsWith('quarterdeck.db')))
      expect(readFileSync(join(t.test.dir, name)).includes(seed)).toBe(false);
    t = await openProvenance({ dir: t.test.dir });
  });

  it('are changed on request: what was signed before stays genuine, and the old private key is gone', async () => {
    const before = await t.note('ben', ada);
    const proof = await t.provenance.proof(before, ben);
    const [old] = t.provenance.keys();
    // In the turn of two sends, and two at once.
    const [, , , later] = await Promise.all([
      t.note('ben', ada),
      t.provenance.rotate(OPERATOR_CALLER),
      t.provenance.rotate(OPERATOR_CALLER),
      t.note('ben', ada),
    ]);
    const after = await t.note('ben', ada);
    const keys = t.provenance.keys();
    expect(keys).toHaveLength(3);
    expect(keys.map(({ until }) => until === null)).toEqual([true, false, false]);
    expect(keys.map(({ previousKeyId }) => previousKeyId)).toEqual([keys[1]?.keyId, old?.keyId, null]);
    expect(keys.at(-1)).toMatchObject({ keyId: old?.keyId, publicKey: old?.publicKey });
    expect(files()).toEqual([`messages-${keys[0]?.keyId}.key`]);
    for (const id of [before, later, after]) expect(await t.provenance.verify({ id }, ben)).toMatchObject({ genuine: true });
    expect(await t.provenance.verify({ id: before }, ben)).toMatchObject({ keyId: old?.keyId });
    expect(await t.provenance.verify({ id: after }, ben)).toMatchObject({ keyId: keys[0]?.keyId });
    expect(await t.provenance.verify({ proof }, ben)).toMatchObject({ genuine: true, keyId: old?.keyId });
    expect(await t.provenance.verifyAll()).toMatchObject(intact);
    const journaled = await t.test.store.read('journal.page', { after: 0, kind: 'provenance.key-changed', limit: 10 });
    expect(journaled.rows.map(({ data, actor }) => [data?.['keyId'], data?.['reason'], actor.kind])).toEqual([
      [keys[1]?.keyId, 'rotated', 'operator'],
      [keys[0]?.keyId, 'rotated', 'operator'],
    ]);
    await t.close();
    t = await openProvenance({ dir: t.test.dir });
    expect(t.provenance.keys()).toEqual(keys);
    expect(await t.provenance.verifyAll()).toMatchObject(intact);
  });

  it('that are gone are replaced, and told', async () => {
    const before = await t.note('ben', ada);
    const [old] = t.provenance.keys();
    await t.close();
    for (const file of files()) rmSync(join(t.secretsDir, file));
    t = await openProvenance({ dir: t.test.dir });
    for (const name of ['ada', 'ben']) t.addAgent(name);
    expect(t.warnings.join()).toContain(`The private key ${old?.keyId} that messages are signed with is gone`);
    const after = await t.note('ben', ada);
    const [key] = t.provenance.keys();
    expect(key).toMatchObject({ previousKeyId: null, introduction: null });
    expect(await t.provenance.verify({ id: before }, ben)).toMatchObject({ genuine: true, keyId: old?.keyId });
    expect(await t.provenance.verify({ id: after }, ben)).toMatchObject({ genuine: true, keyId: key?.keyId });
    expect(await t.provenance.verifyAll()).toMatchObject(intact);
  });
});
