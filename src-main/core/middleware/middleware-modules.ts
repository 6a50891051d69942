/**
 * The operator's modules: files in a folder of the data folder, and the copies of them that were accepted. Invariant: what
 * runs is a copy that an operator accepted by its hash; the files are only ever read to be shown or accepted.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import type { MiddlewareModule, ModuleState } from '#shared/middleware/model.ts';
import { ModuleName } from '#shared/middleware/model.ts';
import type * as z from 'zod';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { AcceptedModule } from './middleware-repository.ts';
import { readModules, saveModule } from './middleware-repository.ts';

/** Largest module, in bytes: it is read by a person before it is accepted. */
const MAX_BYTES = 256 * 1024;
const ENDING = '.mjs';

/** What the modules need. */
export interface MiddlewareModulesOptions {
  readonly store: AppStore;
  /** Folder of the files. */
  readonly folder: string;
  readonly now: () => number;
  /** The projects whose chain names a module. */
  readonly usersOf: (name: string) => ProjectId[];
  /** Another copy runs from now on. */
  readonly onAccepted: (name: string) => void;
}

interface FileText {
  readonly text: string;
  readonly sha256: string;
}

/** The modules. */
export class MiddlewareModules {
  readonly #o: MiddlewareModulesOptions;
  readonly #accepted = new Map<string, AcceptedModule>();

  constructor(options: MiddlewareModulesOptions) {
    this.#o = options;
  }

  /** The folder of the files. */
  get folder(): string {
    return this.#o.folder;
  }

  /** Reads what was accepted, and makes the folder where there is none. Once, after the store is open. */
  async open(): Promise<void> {
    for (const module of this.#o.store.peek(readModules)) this.#accepted.set(module.name, module);
    await mkdir(this.#o.folder, { recursive: true, mode: 0o700 });
  }

  /** The copy that runs; undefined when none was accepted. */
  accepted(name: string): AcceptedModule | undefined {
    return this.#accepted.get(name);
  }

  /** Every module, by name. */
  async list(): Promise<MiddlewareModule[]> {
    const files = await readdir(this.#o.folder).catch(() => []);
    const names = files.flatMap((file) => {
      const name = ModuleName.safeParse(file.endsWith(ENDING) ? file.slice(0, -ENDING.length) : '');
      return name.success ? [name.data] : [];
    });
    const all = [...new Set([...names, ...this.#accepted.keys()])].sort();
    return Promise.all(all.map(async (name) => this.#describe(name, await this.#read(name).catch(() => undefined))));
  }

  /** One module with its texts. NOT_FOUND when there is neither a file nor an accepted copy. */
  async get(name: string): Promise<{ module: MiddlewareModule; text: string | null; acceptedText: string | null }> {
    const file = await this.#read(name);
    const accepted = this.#accepted.get(name);
    if (!file && !accepted) throw this.#unknown(name);
    return { module: this.#describe(name, file), text: file?.text ?? null, acceptedText: accepted?.code ?? null };
  }

  /** Accepts the file as it is now. NOT_FOUND without a file, CONFLICT when it is not what was read. */
  async accept(name: string, sha256: string, caller: Caller): Promise<MiddlewareModule> {
    const file = await this.#read(name);
    if (!file) throw this.#unknown(name);
    if (file.sha256 !== sha256)
      throw new AppError(
        'CONFLICT',
        `The file of module "${name}" is not what you read: its SHA-256 is ${file.sha256} now. Nothing was accepted. Read it again (get_middleware_module), then accept that.`,
        { data: { field: 'sha256', sha256: file.sha256 } },
      );
    const module: AcceptedModule = {
      name,
      sha256,
      code: file.text,
      acceptedAt: this.#o.now(),
      acceptedBy: caller.actor.id,
    };
    await this.#o.store.write((tx) => {
      const before = readModules(tx).find((one) => one.name === name)?.sha256 ?? null;
      if (before === sha256) return;
      saveModule(tx, module);
      const where = { projectId: SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject: name };
      tx.record(event(where, 'middleware.module-accepted', { sha256, before }));
      tx.afterCommit(() => {
        this.#accepted.set(name, module);
        this.#o.onAccepted(name);
      });
    });
    return this.#describe(name, file);
  }

  #unknown(name: string): AppError {
    return new AppError(
      'NOT_FOUND',
      `There is no module "${name}": put it into ${join(this.#o.folder, name + ENDING)}. See list_middleware_modules.`,
      { data: { field: 'name' } },
    );
  }

  #describe(name: string, file: FileText | undefined): MiddlewareModule {
    const accepted = this.#accepted.get(name);
    const state: z.infer<typeof ModuleState> =
      accepted === undefined ? 'new' : file === undefined ? 'missing' : file.sha256 === accepted.sha256 ? 'accepted' : 'changed';
    return {
      name,
      state,
      sha256: file?.sha256 ?? null,
      acceptedSha256: accepted?.sha256 ?? null,
      acceptedAt: accepted?.acceptedAt ?? null,
      acceptedBy: accepted?.acceptedBy ?? null,
      usedBy: this.#o.usersOf(name),
    };
  }

  /** The file of a module; undefined when there is none. Not through a link, and nothing but a file. */
  async #read(name: string): Promise<FileText | undefined> {
    const path = join(this.#o.folder, ModuleName.parse(name) + ENDING);
    let handle;
    try {
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new AppError('UNAVAILABLE', `The file of module "${name}" cannot be read: ${messageOf(error)}.`, {
        retryable: false,
      });
    }
    try {
      const facts = await handle.stat();
      if (!facts.isFile() || facts.size > MAX_BYTES)
        throw new AppError(
          'UNAVAILABLE',
          `The file of module "${name}" is ${facts.isFile() ? `larger than ${MAX_BYTES} bytes` : 'no file'}.`,
          { retryable: false },
        );
      const text = await handle.readFile('utf8');
      return { text, sha256: createHash('sha256').update(text, 'utf8').digest('hex') };
    } finally {
      await handle.close();
    }
  }
}
