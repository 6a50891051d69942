/**
 * Provenance: signs the messages of each commit, and tells whether a message is genuine.
 * Invariants: a message and its hash, and the signature over all of a commit, are stored in that commit or not at all; a
 * message that its savepoint undid is in no batch; the private key is in no database, and is not used off the writer.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { Json } from '#shared/kernel/json.ts';
import { uuidv7 } from '#shared/kernel/ids.ts';
import type { MessageId, SessionId } from '#shared/kernel/ids.ts';
import type { EventData } from '#shared/journal/model.ts';
import type { Message } from '#shared/messages/model.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { canonicalMessage } from '#shared/provenance/canonical.ts';
import { merkleRoot } from '#shared/provenance/merkle.ts';
import type { Batch, MessageFault, MessageProof, PublicKey, Verdict } from '#shared/provenance/model.ts';
import { NO_BATCH } from '#shared/provenance/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { HeadFile, readHeadFile } from '#core/journal/head-file.ts';
import type { JournalHead } from '#core/journal/head-file.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Db } from '#core/store/database.ts';
import type { BatchCollector, Tx } from '#core/store/store.ts';
import { CHECK_START } from './check-page.ts';
import { batchText, leafOf, sha256, signText } from './hashes.ts';
import type { Judging } from './judge-message.ts';
import { differingFields, forgedFields, judgeProof, judgeStanding, judgeStored } from './judge-message.ts';
import { isSealedRow, newKeyRow, publicKeyFrom, sealKeyRow } from './key-ring.ts';
import type { KeyRow } from './provenance-repository.ts';
import { allKeys, batchAt, insertBatch, insertLeaf, lastBatch, leafAt, markRemoved, saveKey } from './provenance-repository.ts';
import { removalMark } from './removal-mark.ts';
import type { SigningKey } from './signing-key.ts';
import { forgetSigningKey, loadSigningKey, makeSigningKey } from './signing-key.ts';

/** What the service needs. */
export interface ProvenanceOptions {
  readonly store: AppStore;
  readonly secretsDir: string;
  /** Number and hash of the last batch, kept outside the database. */
  readonly headFile: string;
  /** The key of the audit trail: what seals keys, marks and the head is derived from it. */
  readonly auditKey: Uint8Array;
  readonly currentSession: () => SessionId;
  readonly now?: () => number;
  readonly warn?: (message: string) => void;
}

/** What a check of all messages found. */
export interface Verification {
  readonly isIntact: boolean;
  readonly messages: number;
  readonly batches: number;
  readonly removed: number;
  readonly imported: number;
  readonly faults: MessageFault[];
}

/** What a write leaves behind: a message's hash, or another key. */
type Leaving =
  | { readonly kind: 'leaf'; readonly seq: number; readonly leaf: Buffer }
  | { readonly kind: 'key'; readonly key: SigningKey };

/** A check of all messages ends after this many faults: after the first few the rest says nothing new. */
const MAX_FAULTS = 20;
/** Faults that earlier starts found, in a report. */
const MAX_KNOWN_FAULTS = 5;

/** Signs, proves and checks. */
export class ProvenanceService implements BatchCollector<Leaving>, Disposable {
  readonly #options: ProvenanceOptions;
  readonly #store: AppStore;
  readonly #now: () => number;
  readonly #warn: (message: string) => void;
  readonly #sealKey: Buffer;
  readonly #markKey: Buffer;
  readonly #headKey: Buffer;
  /** The keys that are believed, the newest first. */
  #keys: readonly KeyRow[] = [];
  #signer: SigningKey | undefined;
  /** The last batch: its number and the hash of its text. */
  #head: { readonly number: number; readonly hash: Buffer } = { number: 0, hash: Buffer.from(NO_BATCH, 'hex') };
  #headFile: HeadFile | undefined;
  #rotating: Promise<unknown> = Promise.resolve();

  constructor(options: ProvenanceOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#now = options.now ?? Date.now;
    this.#warn = options.warn ?? ((message) => process.emitWarning(message));
    const derived = (use: string): Buffer => createHmac('sha256', options.auditKey).update(use).digest();
    this.#sealKey = derived('quarterdeck message keys');
    this.#markKey = derived('quarterdeck removed messages');
    this.#headKey = derived('quarterdeck message head');
  }

  /**
   * Takes up the key, or makes one, and the chain of batches where it ends. Once, before the first message. An end that is
   * not where it was left is told and recorded in the journal; the chain goes on from what is there.
   */
  async open(): Promise<void> {
    this.#store.peek((db) => {
      const last = lastBatch(db);
      if (last) this.#head = { number: last.batch.number, hash: sha256(batchText(last.batch)) };
    });
    await this.#openKeys();
    await this.#openHead();
  }

  dispose(): void {
    this.#headFile?.close();
    this.#headFile = undefined;
  }

  /** Takes a message into the batch of the transaction that stores it: for MessagesOptions.onStored. */
  readonly onStored = (tx: Tx, { seq, message }: { readonly seq: number; readonly message: Message }): void => {
    const leaf = leafOf(message);
    insertLeaf(tx, seq, message.projectId, leaf);
    tx.collect<Leaving>(this, { kind: 'leaf', seq, leaf });
  };

  /** Notes that retention deletes messages, so that nobody takes them for taken away. In the transaction that deletes them. */
  noteRemoved(tx: Tx, seqs: readonly number[]): void {
    for (const seq of seqs) {
      const leaf = leafAt(tx, seq)?.leaf;
      if (leaf) markRemoved(tx, seq, removalMark(this.#markKey, seq, leaf));
    }
  }

  beforeCommit(db: Db, items: readonly Leaving[]): () => void {
    const signer = items.findLast((item) => item.kind === 'key')?.key ?? this.#signer;
    if (!signer) throw new Error('provenance is not open');
    const leaves = items.filter((item) => item.kind === 'leaf');
    const head = leaves.length === 0 ? this.#head : this.#sign(db, signer, leaves);
    return () => {
      this.#signer = signer;
      if (head === this.#head) return;
      this.#head = head;
      // The database may be ahead of the head file, never behind it: see HeadFile.
      this.#headFile?.write({ seq: head.number, hash: head.hash });
    };
  }

  #sign(
    db: Db,
    signer: SigningKey,
    leaves: readonly { readonly seq: number; readonly leaf: Buffer }[],
  ): { number: number; hash: Buffer } {
    const root = merkleRoot(
      leaves.map(({ leaf }) => leaf),
      sha256,
    );
    const batch: Batch = {
      id: `bat_${uuidv7()}`,
      number: this.#head.number + 1,
      count: leaves.length,
      root: Buffer.from(root).toString('hex'),
      at: this.#now(),
      previous: this.#head.hash.toString('hex'),
      keyId: signer.keyId,
    };
    const text = batchText(batch);
    insertBatch(db, { batch, firstSeq: leaves[0]?.seq ?? 0, signature: signText(signer.privateKey, text) });
    return { number: batch.number, hash: sha256(text) };
  }

  /** The public keys, the present one first. */
  keys(): PublicKey[] {
    return this.#keys.map(publicKeyFrom);
  }

  /** Makes a new key, introduced by the present one, whose private part is deleted. */
  rotate(caller: Caller): Promise<PublicKey> {
    const next = this.#rotating.then(() => this.#changeKey('rotated', caller));
    this.#rotating = next.catch(() => undefined);
    return next;
  }

  /** The proof of a message. NOT_FOUND for messages that the caller neither sent nor was sent, or that were never signed. */
  async proof(id: MessageId, caller: Caller): Promise<MessageProof> {
    const found = await this.#store.read('provenance.evidence', { id });
    const verdict = judgeStored(found, id, this.#judging(caller));
    if (found.kind !== 'message' || !found.leaf || !found.batch || verdict.finding === 'unknown') {
      throw new AppError('NOT_FOUND', `There is no message ${id} with a proof that was sent to you or by you.`, {
        data: { messageId: id },
      });
    }
    if (!verdict.genuine)
      throw new AppError('CONFLICT', `${verdict.reason} There is no proof to export.`, { data: { messageId: id } });
    return {
      message: canonicalMessage(found.message),
      leaf: Buffer.from(found.leaf).toString('hex'),
      index: found.index,
      path: [...found.path],
      batch: found.batch.batch,
      signature: Buffer.from(found.batch.signature).toString('base64'),
    };
  }

  /** Tells whether a message is genuine: one that is stored here, or one that comes with its proof. */
  async verify(
    input: {
      readonly id?: MessageId | undefined;
      readonly message?: Record<string, Json> | undefined;
      readonly proof?: MessageProof | undefined;
    },
    caller: Caller,
  ): Promise<Verdict> {
    const { id, message, proof } = input;
    const judging = this.#judging(caller);
    if (proof) return this.#verifyProof(proof, { id, message }, judging);
    if (id === undefined || message) {
      throw new AppError(
        'BAD_REQUEST',
        `State either the id of a message, or a message together with its proof${message ? ': "message" alone proves nothing' : ''}. The proof comes from get_message_proof.`,
        { data: { field: message ? 'proof' : 'id' } },
      );
    }
    return judgeStored(await this.#store.read('provenance.evidence', { id }), id, judging);
  }

  async #verifyProof(
    proof: MessageProof,
    { id, message }: { readonly id: MessageId | undefined; readonly message: Record<string, Json> | undefined },
    judging: Judging,
  ): Promise<Verdict> {
    const proven = judgeProof(proof, judging.publicKeyOf);
    if ('genuine' in proven) return proven;
    const shown = message ?? (id === undefined ? undefined : { id });
    const differing = message ? differingFields(message, proof.message) : [];
    if (shown && id !== undefined && id !== proven.id) differing.push('id');
    if (differing.length > 0) return forgedFields([...new Set(differing)], proof);
    const [found, text] = await Promise.all([
      this.#store.read('provenance.evidence', { id: proven.id }),
      this.#store.read('provenance.batch', { number: proof.batch.number }),
    ]);
    const verdict = judgeStanding(proven, found, { proof, isOurBatch: text === batchText(proof.batch), judging });
    if (!verdict.genuine || found.kind !== 'message') return verdict;
    // What stands here under this id has to be right as well: it is what the recipient will act on.
    const stored = judgeStored(found, proven.id, judging);
    return stored.genuine ? verdict : stored;
  }

  #judging(caller: Caller): Judging {
    return {
      inbox: caller.agentId,
      sessionId: this.#options.currentSession(),
      publicKeyOf: (keyId) => this.#keys.find((key) => key.keyId === keyId)?.publicKey,
    };
  }

  /** Checks all messages, a page at a time on the reader's thread. What earlier starts found is reported for good. */
  async verifyAll(): Promise<Verification> {
    const head = readHeadFile(this.#options.headFile, this.#headKey);
    const faults: MessageFault[] = [...(await this.#knownFaults()), ...this.#keyFaults()];
    const keys = this.#keys.map(({ keyId, publicKey }) => ({ keyId, publicKey }));
    const sum = { messages: 0, batches: 0, removed: 0, imported: 0 };
    let place = CHECK_START;
    let isHeadSeen = false;
    for (;;) {
      const page = await this.#store.read('provenance.check', {
        place,
        keys,
        markKey: this.#markKey,
        head: head && { number: head.seq, hash: head.hash },
      });
      faults.push(...page.faults);
      sum.messages += page.messages;
      sum.batches += page.batches;
      sum.removed += page.removed;
      sum.imported += page.imported;
      isHeadSeen ||= page.isHeadSeen;
      place = page.place;
      if (page.isLast || faults.length >= MAX_FAULTS) break;
    }
    if (!head)
      faults.push({ kind: 'cut', messageId: null, batch: null, detail: 'the head file "message-head" is missing or not ours' });
    else if (!isHeadSeen && head.seq > 0 && faults.length < MAX_FAULTS)
      faults.push({
        kind: 'cut',
        messageId: null,
        batch: head.seq,
        detail: `batch ${head.seq}, which the head file names, is missing: the end was cut off`,
      });
    return { isIntact: faults.length === 0, ...sum, faults: faults.slice(0, MAX_FAULTS) };
  }

  /** Faults that cores found at their starts: the chain went on after them, but not all of it is there. */
  async #knownFaults(): Promise<MessageFault[]> {
    const { rows } = await this.#store.read('journal.page', {
      after: 0,
      kind: 'provenance.fault-found',
      limit: MAX_KNOWN_FAULTS,
    });
    return rows.map((row) => ({
      kind: 'cut',
      messageId: null,
      batch: null,
      detail: `at a start (journal ${row.seq}) it was found that ${typeof row.data?.['detail'] === 'string' ? row.data['detail'] : 'batches are missing (details were erased)'}`,
    }));
  }

  #keyFaults(): MessageFault[] {
    const strange = this.#store.peek(allKeys).filter((row) => !isSealedRow(this.#sealKey, row));
    return strange.map(({ keyId }) => ({
      kind: 'key',
      messageId: null,
      batch: null,
      detail: `key ${keyId} was not written by this installation`,
    }));
  }

  async #openKeys(): Promise<void> {
    const rows = this.#store.peek(allKeys);
    this.#keys = rows.filter((row) => isSealedRow(this.#sealKey, row));
    if (this.#keys.length < rows.length)
      this.#warn(
        'A key for messages in the database was not written by this installation; it is not believed. Run verify_messages.',
      );
    // Left by an end between the commit of a rotation and the deletion of the old file.
    for (const { keyId, until } of this.#keys) if (until !== null) forgetSigningKey(this.#options.secretsDir, keyId);
    const present = this.#keys.find(({ until }) => until === null);
    this.#signer = present && loadSigningKey(this.#options.secretsDir, present.keyId, this.#warn);
    if (this.#signer) return;
    if (present)
      this.#warn(
        `The private key ${present.keyId} that messages are signed with is gone. A new one is made; what was signed before stays verifiable.`,
      );
    await this.#changeKey(present ? 'lost' : 'first', CORE);
  }

  async #changeKey(reason: 'first' | 'rotated' | 'lost', caller: Caller): Promise<PublicKey> {
    const since = this.#now();
    const key = makeSigningKey(this.#options.secretsDir);
    const old = this.#keys.find(({ until }) => until === null);
    const row = sealKeyRow(
      this.#sealKey,
      newKeyRow(key, { since, previous: this.#signer, previousKeyId: this.#signer?.keyId ?? null }),
    );
    const retired = old && sealKeyRow(this.#sealKey, { ...old, until: since });
    await this.#store.write((tx) => {
      if (retired) saveKey(tx, retired);
      saveKey(tx, row);
      tx.collect<Leaving>(this, { kind: 'key', key });
      if (reason === 'first') return;
      tx.record(
        event(envelope(caller, key.keyId), 'provenance.key-changed', {
          keyId: key.keyId,
          publicKey: key.publicKey.toString('base64'),
          previousKeyId: old?.keyId ?? null,
          reason,
        }),
      );
      tx.afterCommit(() => {
        this.#keys = [row, ...(retired ? [retired] : []), ...this.#keys.filter(({ until }) => until !== null)];
      });
    });
    if (reason === 'first') this.#keys = [row, ...this.#keys];
    if (old) forgetSigningKey(this.#options.secretsDir, old.keyId);
    return publicKeyFrom(row);
  }

  async #openHead(): Promise<void> {
    const { headFile } = this.#options;
    const stored = readHeadFile(headFile, this.#headKey);
    const fault = this.#store.peek((db) => this.#findFault(db, stored));
    if (fault) {
      this.#warn(`The record of messages is damaged: ${fault.detail}. Verify it (verify_messages), and compare with a backup.`);
      // Recorded before the head is written anew: going on must not hide what happened.
      await this.#store.write((tx) => tx.record(event(envelope(CORE, 'messages'), 'provenance.fault-found', fault)));
    }
    this.#headFile = new HeadFile(headFile, this.#headKey);
    if (fault || !stored) this.#headFile.reset({ seq: this.#head.number, hash: this.#head.hash });
  }

  #findFault(db: Db, stored: JournalHead | undefined): EventData<'provenance.fault-found'> | undefined {
    const foundBatch = this.#head.number;
    if (!stored) {
      const detail = 'the head file "message-head" is missing or not ours; messages may be missing at the end';
      return foundBatch === 0 ? undefined : { headBatch: null, foundBatch, detail };
    }
    const headBatch = stored.seq;
    if (headBatch > foundBatch)
      return {
        headBatch,
        foundBatch,
        detail: `the messages end at batch ${foundBatch}, the head file names batch ${headBatch}: the end was cut off, or an older database was put back`,
      };
    const found = headBatch === 0 ? undefined : batchAt(db, headBatch);
    const hash = found ? sha256(batchText(found.batch)) : Buffer.from(NO_BATCH, 'hex');
    const isSame = (found !== undefined || headBatch === 0) && timingSafeEqual(hash, stored.hash);
    return isSame
      ? undefined
      : { headBatch, foundBatch, detail: `batch ${headBatch} is not the one that the head file names: the end was replaced` };
  }
}

function envelope(caller: Caller, subject: string) {
  return { projectId: SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject };
}
