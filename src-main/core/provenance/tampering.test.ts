import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import type { Connection } from '#core/store/database.ts';
import { openDatabase } from '#core/store/database.ts';
import { batchText, keyIdOf, leafOfText, sha256, signText } from './hashes.ts';
import { lastBatch } from './provenance-repository.ts';
import { makeSigningKey } from './signing-key.ts';
import type { TestProvenance } from './testing/open-provenance.ts';
import { openProvenance } from './testing/open-provenance.ts';

const NONE = 'msg_01900000-0000-7000-8000-000000000000' as MessageId;

// Each opens a store with its thread: on a busy machine that takes seconds.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let t: TestProvenance;
let ben: Caller;
/** A message of ada's to ben in the middle of a batch in the middle, and one of the operator's. */
let victim = NONE;
let order = NONE;

function addAgents(): Caller {
  t.addAgent('ada');
  t.addAgent('cleo');
  return t.addAgent('ben');
}

beforeEach(async () => {
  t = await openProvenance();
  ben = addAgents();
  await t.store([{ body: 'first 1' }, { body: 'first 2' }]);
  [, victim = victim, order = order] = await t.store([
    { to: ['cleo'], recipients: ['cleo'] },
    { body: 'do nothing', data: { a: 1 } },
    { from: OPERATOR_CALLER.actor, originator: { ...OPERATOR_CALLER.actor, boundary: 'host' } },
  ]);
  await t.store([{ body: 'last 1' }, { body: 'last 2' }]);
  expect(await t.provenance.verifyAll()).toMatchObject({ isIntact: true, messages: 7, batches: 3 });
});
afterEach(() => t.dispose());

/** Changes the file behind the core's back. */
function tamper(change: (db: Connection) => void): void {
  const db = openDatabase(join(t.test.dir, 'quarterdeck.db'));
  try {
    db.exec('PRAGMA foreign_keys = OFF');
    change(db);
  } finally {
    db.close();
  }
}

/** Changes the file while no core runs, and starts one on it. */
async function tamperWhileClosed(change: (db: Connection) => void): Promise<void> {
  await t.close();
  tamper(change);
  t = await openProvenance({ dir: t.test.dir });
  ben = addAgents();
}

async function faults(): Promise<{ kinds: string[]; details: string }> {
  const result = await t.provenance.verifyAll();
  expect(result.isIntact).toBe(result.faults.length === 0);
  return {
    kinds: [...new Set(result.faults.map(({ kind }) => kind))],
    details: result.faults.map(({ detail }) => detail).join('\n'),
  };
}

describe('in the file', () => {
  const CHANGES: Readonly<Record<string, string>> = {
    body: "body = 'delete everything'",
    sender: "from_kind = 'operator', from_id = 'operator'",
    'name of the sender': "from_id = 'cleo'",
    recipients: `recipients = '["ben","cleo"]'`,
    addresses: `addressed_to = '["*"]'`,
    kind: "kind = 'task'",
    'a kind that there is not': "kind = 'order'",
    priority: 'priority = 0',
    subject: "subject = 'urgent'",
    data: `data = '{"a":2}'`,
    'data that is none': "data = '{'",
    originator: `originator = '{"kind":"operator","id":"operator","boundary":"host"}'`,
    'the time': 'sent_at = sent_at + 1',
    'the end': 'expires_at = 1',
    'the start': 'not_before = 1',
    'the deadline': 'reply_by = 1',
    topic: "topic = 'health'",
    attachments: `attachments = '[{"name":"a","source":{"kind":"workspace","path":"a"},"bytes":1,"sha256":"${'0'.repeat(64)}","mediaType":"text/plain"}]'`,
    thread: "thread_id = 'msg_01900000-0000-7000-8000-000000000001'",
    'what it answers': "in_reply_to = 'msg_01900000-0000-7000-8000-000000000001'",
    project: "project_id = 'prj_00000000-0000-7000-8000-000000000000'",
    session: "session_id = 'ses_01900000-0000-7000-8000-000000000001'",
  };

  it('every column of a message that was changed is found', async () => {
    const saved = t.test.store.peek((db) => db.prepare('SELECT * FROM messages WHERE id = ?').get(victim)) as Record<
      string,
      unknown
    >;
    const columns = Object.keys(saved);
    const restore = `UPDATE messages SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`;
    for (const [name, assignment] of Object.entries(CHANGES)) {
      tamper((db) => db.prepare(`UPDATE messages SET ${assignment} WHERE id = ?`).run(victim));
      expect((await faults()).kinds, name).toContain('changed');
      expect(await t.provenance.verify({ id: victim }, ben), name).toMatchObject({ genuine: false, sender: null });
      // Not what its neighbours are.
      expect(await t.provenance.verify({ id: order }, ben)).toMatchObject({ genuine: true, sender: { kind: 'operator' } });
      tamper((db) => db.prepare(restore).run(...Object.values(saved), victim));
    }
    expect((await faults()).kinds).toEqual([]);
    // Every column but its place, its id and what is not said to anybody was tried.
    const tried = Object.values(CHANGES).flatMap((assignment) => assignment.split(', ').map((one) => one.split(' = ')[0]));
    expect(columns.filter((column) => !tried.includes(column))).toEqual(['seq', 'id', 'idempotency_key', 'ttl_ms']);
  });

  it('a message whose hash was changed with it is found by its batch', async () => {
    tamper((db) => {
      db.prepare("UPDATE messages SET body = 'delete everything' WHERE id = ?").run(victim);
      // What the core would have stored for this content.
      const stored = db.prepare('SELECT seq FROM messages WHERE id = ?').get(victim) as { seq: number };
      db.prepare('UPDATE message_leaves SET leaf = ? WHERE seq = ?').run(leafOfText('{"body":"delete everything"}'), stored.seq);
    });
    expect((await faults()).kinds).toEqual(expect.arrayContaining(['batch', 'changed']));
    expect(await t.provenance.verify({ id: victim }, ben)).toMatchObject({ genuine: false, finding: 'changed' });
    expect(await t.provenance.verify({ id: order }, ben)).toMatchObject({ genuine: false, finding: 'changed' });
  });

  it('two messages that changed places are found', async () => {
    tamper((db) => {
      const swap = (from: number, to: number): void => {
        db.prepare('UPDATE messages SET seq = ? WHERE seq = ?').run(to, from);
        db.prepare('UPDATE deliveries SET message_seq = ? WHERE message_seq = ?').run(to, from);
      };
      swap(4, 99);
      swap(5, 4);
      swap(99, 5);
    });
    expect((await faults()).kinds).toEqual(['changed']);
  });

  it('a message that was taken away is found, with and without its hash, and at the end', async () => {
    const remove = (seq: number) => (db: Connection) => {
      db.prepare('DELETE FROM deliveries WHERE message_seq = ?').run(seq);
      db.prepare('DELETE FROM messages WHERE seq = ?').run(seq);
    };
    tamper(remove(4));
    expect(await faults()).toMatchObject({ kinds: ['missing'], details: expect.stringContaining('message 4 is gone') as string });
    expect(await t.provenance.verify({ id: victim }, ben)).toMatchObject({ genuine: false, finding: 'unknown' });
    tamper((db) => db.prepare('DELETE FROM message_leaves WHERE seq = 4').run());
    expect((await faults()).kinds).toEqual(['batch']);
    tamper((db) => {
      remove(7)(db);
      db.prepare('DELETE FROM message_leaves WHERE seq = 7').run();
    });
    expect((await faults()).details).toContain('the 1 hashes of batch 3 are not the 2 signed');
  });

  it('a message that is said to have been deleted by retention is found, when it was not', async () => {
    tamper((db) => {
      db.prepare('DELETE FROM deliveries WHERE message_seq = 4').run();
      db.prepare('DELETE FROM messages WHERE seq = 4').run();
      db.prepare('UPDATE message_leaves SET removed = ? WHERE seq = 4').run(sha256('removed'));
    });
    expect((await faults()).kinds).toEqual(['missing']);
  });

  it('one that retention deleted and that was put back is found', async () => {
    const saved = t.test.store.peek((db) => db.prepare('SELECT * FROM messages WHERE seq = 4').get()) as Record<string, unknown>;
    await t.test.store.write((tx) => {
      t.provenance.noteRemoved(tx, [4]);
      tx.prepare('DELETE FROM deliveries WHERE message_seq = 4').run();
      tx.prepare('DELETE FROM messages WHERE seq = 4').run();
    });
    expect(await t.provenance.verifyAll()).toMatchObject({ isIntact: true, removed: 1 });
    tamper((db) => {
      const columns = Object.keys(saved);
      db.prepare(`INSERT INTO messages (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`).run(
        ...Object.values(saved),
      );
    });
    expect(await faults()).toMatchObject({
      kinds: ['unsigned'],
      details: expect.stringContaining('stands there again') as string,
    });
  });

  it('a message that was put in is found, also with a hash', async () => {
    tamper((db) => {
      db.prepare(
        `INSERT INTO messages (id, project_id, session_id, from_kind, from_id, recipients, addressed_to, kind, priority, body, thread_id, originator, sent_at)
         SELECT 'msg_01900000-0000-7000-8000-00000000000f', project_id, session_id, 'operator', 'operator', recipients, addressed_to, kind, priority,
           'delete everything', thread_id, originator, sent_at FROM messages WHERE id = ?`,
      ).run(order);
      const { seq } = db.prepare('SELECT max(seq) AS seq FROM messages').get() as { seq: number };
      db.prepare(
        `INSERT INTO deliveries (message_seq, recipient, project_id, priority, queued_at, size, awaits_reply)
         SELECT ?, recipient, project_id, priority, queued_at, size, awaits_reply FROM deliveries WHERE message_seq = 5`,
      ).run(seq);
    });
    expect(await faults()).toMatchObject({
      kinds: ['unsigned'],
      details: expect.stringContaining('beside the product') as string,
    });
    const forged = 'msg_01900000-0000-7000-8000-00000000000f' as MessageId;
    expect(await t.provenance.verify({ id: forged }, ben)).toMatchObject({ genuine: false, finding: 'unsigned', sender: null });
    await expect(t.provenance.proof(forged, ben)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    tamper((db) => {
      db.prepare('INSERT INTO message_leaves (seq, project_id, leaf) VALUES (8, ?, ?)').run('p', sha256('anything'));
    });
    expect((await faults()).kinds).toEqual(expect.arrayContaining(['batch']));
    expect(await t.provenance.verify({ id: forged }, ben)).toMatchObject({ genuine: false });
  });

  it('a message that was put in with a batch and a key of its own is found', async () => {
    const foreign = makeSigningKey(join(t.test.dir, 'foreign'));
    await tamperWhileClosed((db) => {
      const last = lastBatch(db);
      if (!last) throw new Error('there are batches');
      db.prepare(
        `INSERT INTO messages (id, project_id, session_id, from_kind, from_id, recipients, addressed_to, kind, priority, body, thread_id, originator, sent_at)
         SELECT 'msg_01900000-0000-7000-8000-00000000000f', project_id, session_id, 'operator', 'operator', recipients, addressed_to, kind, priority,
           'delete everything', thread_id, originator, sent_at FROM messages WHERE id = ?`,
      ).run(order);
      const leaf = sha256('anything');
      db.prepare('INSERT INTO message_leaves (seq, project_id, leaf) VALUES (8, ?, ?)').run('p', leaf);
      const batch = {
        id: 'bat_forged',
        number: last.batch.number + 1,
        count: 1,
        root: leaf.toString('hex'),
        at: 1,
        previous: sha256(batchText(last.batch)).toString('hex'),
        keyId: keyIdOf(foreign.publicKey),
      };
      db.prepare(
        'INSERT INTO message_batches (number, project_id, id, first_seq, count, root, at, previous, key_id, signature) VALUES (?, ?, ?, 8, 1, ?, 1, ?, ?, ?)',
      ).run(
        batch.number,
        'p',
        batch.id,
        leaf,
        Buffer.from(batch.previous, 'hex'),
        batch.keyId,
        signText(foreign.privateKey, batchText(batch)),
      );
      db.prepare('INSERT INTO message_keys (key_id, project_id, public_key, since, until, seal) VALUES (?, ?, ?, 1, 2, ?)').run(
        batch.keyId,
        'p',
        foreign.publicKey,
        sha256('seal'),
      );
    });
    expect(t.provenance.keys()).toHaveLength(1);
    expect(t.warnings.join()).toContain('was not written by this installation');
    expect((await faults()).kinds).toEqual(expect.arrayContaining(['key', 'changed']));
    expect(await t.provenance.verify({ id: 'msg_01900000-0000-7000-8000-00000000000f' as MessageId }, ben)).toMatchObject({
      genuine: false,
    });
  });

  it('a public key that was exchanged is not believed, and a new one is made', async () => {
    const foreign = makeSigningKey(join(t.test.dir, 'foreign'));
    await tamperWhileClosed((db) =>
      db.prepare('UPDATE message_keys SET public_key = ?, key_id = ?').run(foreign.publicKey, foreign.keyId),
    );
    expect(t.provenance.keys().map(({ keyId }) => keyId)).not.toContain(foreign.keyId);
    expect((await faults()).kinds).toContain('key');
  });

  it('a batch that was changed, taken out or moved is found', async () => {
    const { number } = t.test.store.peek(lastBatch)?.batch ?? { number: 0 };
    tamper((db) => db.prepare('UPDATE message_batches SET at = at + 1 WHERE number = 2').run());
    const changed = await faults();
    expect(changed.details).toContain('the signature of batch 2 is wrong');
    expect(changed.details).toContain('batch 3 does not follow from the batch before it');
    tamper((db) => {
      db.prepare('DELETE FROM deliveries WHERE message_seq IN (3, 4, 5)').run();
      db.prepare('DELETE FROM messages WHERE seq IN (3, 4, 5)').run();
      db.prepare('DELETE FROM message_leaves WHERE seq IN (3, 4, 5)').run();
      db.prepare('DELETE FROM message_batches WHERE number = 2').run();
    });
    expect((await faults()).details).toContain('batch 3 stands where batch 2 should');
    expect(number).toBe(3);
  });

  it('a copy in another inbox is found, and who finds it there is told', async () => {
    tamper((db) => {
      db.prepare("UPDATE deliveries SET recipient = 'cleo' WHERE message_seq = 4").run();
    });
    expect(await faults()).toMatchObject({
      kinds: ['delivery'],
      details: `message ${victim} stands in inboxes that it was not sent to (cleo) and lacks the copies of ben`,
    });
    const cleo = t.addAgent('cleo');
    expect(await t.provenance.verify({ id: victim }, cleo)).toMatchObject({
      genuine: false,
      finding: 'not-for-you',
      sender: null,
    });
  });
});

describe('the end', () => {
  const cutOff = (db: Connection): void => {
    db.prepare('DELETE FROM deliveries WHERE message_seq > 5').run();
    db.prepare('DELETE FROM messages WHERE seq > 5').run();
    db.prepare('DELETE FROM message_leaves WHERE seq > 5').run();
    db.prepare('DELETE FROM message_batches WHERE number = 3').run();
  };

  it('that was cut off cleanly is found by the head file, told at the start, and stays known', async () => {
    await tamperWhileClosed(cutOff);
    expect(t.warnings.join()).toContain('the messages end at batch 2, the head file names batch 3');
    expect(await faults()).toMatchObject({
      kinds: ['cut'],
      details: expect.stringContaining('head file names batch 3') as string,
    });
    // Going on does not hide it.
    await t.store([{}]);
    await t.close();
    t = await openProvenance({ dir: t.test.dir });
    expect(t.warnings).toEqual([]);
    expect((await faults()).kinds).toEqual(['cut']);
  });

  it('that was replaced is found by the head file', async () => {
    await tamperWhileClosed((db) => {
      cutOff(db);
      const last = lastBatch(db);
      if (!last) throw new Error('there are batches');
      db.prepare(
        `INSERT INTO message_batches (number, project_id, id, first_seq, count, root, at, previous, key_id, signature)
         SELECT 3, project_id, 'bat_x', 6, 1, root, at, previous, key_id, signature FROM message_batches WHERE number = 2`,
      ).run();
    });
    expect(t.warnings.join()).toContain('batch 3 is not the one that the head file names');
    expect((await faults()).kinds).toContain('cut');
  });

  it('that was cut off with the head file is found, too', async () => {
    const { headFile } = t;
    await t.close();
    rmSync(headFile);
    t = await openProvenance({ dir: t.test.dir });
    expect(t.warnings.join()).toContain('"message-head" is missing');
    expect((await faults()).kinds).toEqual(['cut']);
  });

  it('is noticed while the core runs when the head file is exchanged', async () => {
    const saved = `${t.headFile}.saved`;
    copyFileSync(t.headFile, saved);
    writeFileSync(t.headFile, readFileSync(saved, 'latin1').replace(/\d(?= )/g, '9'));
    expect((await faults()).kinds).toEqual(['cut']);
    copyFileSync(saved, t.headFile);
    expect((await faults()).kinds).toEqual([]);
  });

  it('may be ahead of the head file, as a kill between the commit and the head leaves it', async () => {
    const before = readFileSync(t.headFile);
    await t.store([{}]);
    await t.store([{}]);
    await t.close();
    writeFileSync(t.headFile, before);
    t = await openProvenance({ dir: t.test.dir });
    expect(t.warnings).toEqual([]);
    expect((await faults()).kinds).toEqual([]);
    await t.store([{}]);
    expect(await t.provenance.verifyAll()).toMatchObject({ isIntact: true, messages: 10, batches: 6 });
  });

  it('is no fault while messages are being sent', async () => {
    let isDone = false;
    const sending = (async () => {
      while (!isDone) await t.store([{}, {}]);
    })();
    const results: string[][] = [];
    for (let round = 0; round < 20; round += 1) results.push((await faults()).kinds);
    isDone = true;
    await sending;
    expect(results.flat()).toEqual([]);
  });
});
