/**
 * Does a command with an idempotency key once. Invariant: for one actor, procedure and key at most one run is under way,
 * and its result is stored before anybody gets it.
 * A crash between the command's own commit and the storing of its result makes a repeated call run again; what a command
 * does twice then is up to the command (spawning the same agent again is the same agent).
 */
import { createHash } from 'node:crypto';
import type { Actor } from '#shared/auth/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Db } from '#core/store/database.ts';
import type { Tx } from '#core/store/store.ts';
import { deleteCommandResults, findCommandResult, insertCommandResult } from './command-results-repository.ts';

/** What is needed of the store. */
export interface CommandStore {
  write<T>(run: (tx: Tx) => T): Promise<T>;
  peek<T>(run: (db: Db) => T): T;
}

/** How long results are remembered, in milliseconds: seven days. */
const KEEP_MS = 7 * 24 * 3_600_000;
/** Old results removed with each new one: more than are added, and never a long step. */
const SWEEP = 20;

/** A command that was sent with a key. */
export interface KeyedCommand {
  readonly actor: Actor;
  readonly procedure: string;
  readonly key: string;
  readonly input: unknown;
  /** The project it is about, where the input names one. */
  readonly projectId: string | undefined;
  /** Whether the result holds a secret and must not be kept. */
  readonly isSecret: boolean;
}

interface Run {
  readonly hash: Buffer;
  readonly result: Promise<unknown>;
}

/** Remembers the results of commands. */
export class CommandResults {
  readonly #store: CommandStore;
  readonly #now: () => number;
  readonly #running = new Map<string, Run>();

  constructor(store: CommandStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Runs the command, or returns what it returned before. Fails with CONFLICT when the key was used with another input. */
  async once(command: KeyedCommand, run: () => Promise<unknown>): Promise<unknown> {
    const hash = createHash('sha256')
      .update(canonicalJson(command.input) ?? 'undefined')
      .digest();
    const actor = `${command.actor.kind}:${command.actor.id}`;
    const id = JSON.stringify([actor, command.procedure, command.key]);
    const running = this.#running.get(id);
    if (running) {
      requireSame(command, running.hash, hash);
      return await running.result;
    }
    const stored = this.#store.peek((db) => findCommandResult(db, actor, command.procedure, command.key));
    if (stored) {
      requireSame(command, stored.inputHash, hash);
      if (stored.result === null) {
        throw new AppError(
          'CONFLICT',
          `${command.procedure} was done already with idempotencyKey "${command.key}". Its result holds a secret and was shown once; use another key to do it again.`,
        );
      }
      return JSON.parse(stored.result) as unknown;
    }
    const result = this.#runAndKeep(command, actor, hash, run);
    this.#running.set(id, { hash, result });
    try {
      return await result;
    } finally {
      this.#running.delete(id);
    }
  }

  async #runAndKeep(command: KeyedCommand, actor: string, inputHash: Buffer, run: () => Promise<unknown>): Promise<unknown> {
    const result = await run();
    const at = this.#now();
    await this.#store.write((tx) => {
      insertCommandResult(tx, {
        actor,
        procedure: command.procedure,
        key: command.key,
        projectId: command.projectId ?? SYSTEM_PROJECT_ID,
        inputHash,
        result: command.isSecret ? null : JSON.stringify(result),
        at,
      });
      deleteCommandResults(tx, at - KEEP_MS, SWEEP);
    });
    return result;
  }
}

function requireSame(command: KeyedCommand, before: Uint8Array, now: Uint8Array): void {
  if (Buffer.compare(before, now) === 0) return;
  throw new AppError(
    'CONFLICT',
    `idempotencyKey "${command.key}" was used before for ${command.procedure} with another input. Use a new key, or send the same input.`,
    {
      data: { idempotencyKey: command.key },
    },
  );
}
