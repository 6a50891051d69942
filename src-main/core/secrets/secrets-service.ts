/**
 * Secrets: sealed in the database, opened only for the core's own use.
 * Invariants: no value leaves through a procedure, a log or the journal; nothing is sealed with a key that does not open
 * what is there already.
 */
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { SecretInfo } from '#shared/secrets/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Db } from '#core/store/database.ts';
import { KEY_BYTES } from './key-file.ts';
import type { KeySource } from './key-source.ts';
import { seal, unseal } from './seal.ts';
import {
  MAX_SECRETS,
  countSecrets,
  deleteSecret,
  keyMark,
  sealedValue,
  secretInfo,
  setKeyMark,
  upsertSecret,
} from './secrets-repository.ts';

/** Where the service finds things. */
export interface SecretsServiceOptions {
  readonly store: AppStore;
  readonly keySource: KeySource;
  /** Whether there is such a project: secrets for one that does not exist are refused. */
  readonly isProject: (id: ProjectId) => boolean;
  readonly now?: () => number;
}

/** Which secret: of one project, or of all when no project is named. */
export interface SecretAddress {
  readonly name: string;
  readonly projectId?: ProjectId | undefined;
}

/** The row of the mark: no secret can have this name. */
const MARK_ROW = { projectId: SYSTEM_PROJECT_ID, name: 'key-mark' } as const;
const MARK_TEXT = 'this key is in use';

/** Owns the key and what is sealed with it. */
export class SecretsService {
  readonly #store: AppStore;
  readonly #keySource: KeySource;
  readonly #isProject: (id: ProjectId) => boolean;
  readonly #now: () => number;
  #key: Uint8Array | undefined;

  constructor(options: SecretsServiceOptions) {
    this.#store = options.store;
    this.#keySource = options.keySource;
    this.#isProject = options.isProject;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Loads the key. Fails with UNAVAILABLE when it cannot be had. A key that does not open what is there is no failure
   * here, so that the rest of the product runs: the answer says what is wrong, and so does every later use.
   */
  async open(): Promise<{ readonly problem: string | undefined }> {
    const key = await this.#keySource.load();
    if (key.length !== KEY_BYTES)
      throw new AppError('INTERNAL', `The key from ${this.#keySource.name} has ${key.length} bytes, not ${KEY_BYTES}.`);
    this.#key = key;
    return { problem: this.#store.peek((db) => this.#problem(db, key)) };
  }

  /** Keeps a secret, replacing an earlier value. */
  set(address: SecretAddress & { readonly value: string }, caller: Caller): Promise<SecretInfo> {
    const projectId = address.projectId ?? SYSTEM_PROJECT_ID;
    const { name, value } = address;
    return this.#store.write((tx) => {
      const key = this.#usableKey(tx);
      if (projectId !== SYSTEM_PROJECT_ID && !this.#isProject(projectId)) {
        throw new AppError('NOT_FOUND', `There is no project ${projectId}. List the projects to see which there are.`, {
          data: { projectId },
        });
      }
      const before = secretInfo(tx, projectId, name);
      const count = countSecrets(tx);
      if (!before && count >= MAX_SECRETS)
        throw new AppError('CONFLICT', `There are ${MAX_SECRETS} secrets already. Remove one that is no longer used.`);
      if (count === 0) setKeyMark(tx, seal(key, MARK_ROW, MARK_TEXT));
      const now = this.#now();
      const info: SecretInfo = { projectId, name, createdAt: before?.createdAt ?? now, updatedAt: now };
      upsertSecret(tx, info, seal(key, { projectId, name }, value));
      tx.record(event({ projectId, actor: caller.actor, door: caller.door, subject: name }, 'secret.set', { isNew: !before }));
      return info;
    });
  }

  /** What is known of every secret, never a value. */
  list(): Promise<SecretInfo[]> {
    return this.#store.read('secrets.list', undefined);
  }

  /** Removes a secret; false when there was none. Needs no key: what can no longer be opened can still be cleared away. */
  remove(address: SecretAddress, caller: Caller): Promise<boolean> {
    const projectId = address.projectId ?? SYSTEM_PROJECT_ID;
    return this.#store.write((tx) => {
      const isRemoved = deleteSecret(tx, projectId, address.name);
      if (isRemoved)
        tx.record(event({ projectId, actor: caller.actor, door: caller.door, subject: address.name }, 'secret.removed', {}));
      return isRemoved;
    });
  }

  /**
   * The value of a secret as a project sees it: the project's own, else the one for all; undefined when there is neither.
   * For the core's own use: what it returns must not be logged, journaled or put on a command line.
   */
  reveal(name: string, projectId: ProjectId): string | undefined {
    return this.#store.peek((db) => {
      for (const owner of projectId === SYSTEM_PROJECT_ID ? [SYSTEM_PROJECT_ID] : [projectId, SYSTEM_PROJECT_ID]) {
        const sealed = sealedValue(db, owner, name);
        if (!sealed) continue;
        const value = unseal(this.#usableKey(db), { projectId: owner, name }, sealed);
        if (value.ok) return value.value;
        // The key is right (usableKey), so the row is not what was stored. Falling back to the one for all would hide that.
        throw new AppError(
          'UNAVAILABLE',
          `The secret ${name} was changed outside Quarterdeck and cannot be opened. Set it again.`,
          { retryable: false, data: { name } },
        );
      }
      return undefined;
    });
  }

  /** Forgets the key. */
  dispose(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  #usableKey(db: Db): Uint8Array {
    const key = this.#key;
    if (!key) throw new AppError('UNAVAILABLE', 'The key of the secrets is not loaded.', { retryable: false });
    const problem = this.#problem(db, key);
    if (problem !== undefined) throw new AppError('UNAVAILABLE', problem, { retryable: false });
    return key;
  }

  #problem(db: Db, key: Uint8Array): string | undefined {
    if (countSecrets(db) === 0) return undefined;
    const mark = keyMark(db);
    if (mark && unseal(key, MARK_ROW, mark).ok) return undefined;
    return `The secrets cannot be opened with ${this.#keySource.name}: they were stored with another key. Start with the key or passphrase they were stored with, or remove them all and set them again.`;
  }
}
