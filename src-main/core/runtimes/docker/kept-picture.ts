/**
 * What the terminal of a paused container showed, kept in a file of its agent's for the next core: a container that is paused can
 * be asked nothing. Outside of everything that the agent sees. Kept for one run, and only while it is paused.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { messageOf } from '#shared/kernel/errors.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import type { ContainerPicture } from './container-picture.ts';

/** More than two thousand lines of a wide terminal in many colours, in bytes. */
const MAX_BYTES = 16 * 2 ** 20;

const Kept = z.object({
  runId: z.string(),
  windows: z.array(
    z.tuple([
      z.string(),
      z.object({
        lines: z.array(z.string()),
        size: z.object({ cols: z.number(), rows: z.number() }),
        cursor: z.object({ x: z.number(), y: z.number() }),
      }),
    ]),
  ),
});

/** The picture of one run. What fails is logged, and no picture is all that comes of it. */
export class KeptPicture {
  readonly #path: string;
  readonly #runId: string;
  readonly #log: RuntimeLog;
  /** Writes and removals come one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: { path: string; runId: string; log: RuntimeLog }) {
    this.#path = options.path;
    this.#runId = options.runId;
    this.#log = options.log;
  }

  /** Keeps it in place of an earlier one. Resolves when it is on the disk, or cannot be. */
  save(picture: ContainerPicture): Promise<void> {
    return this.#inTurn(async () => {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      const draft = `${this.#path}.new`;
      await writeFile(draft, JSON.stringify({ runId: this.#runId, windows: [...picture] }), { mode: 0o600 });
      await rename(draft, this.#path);
    });
  }

  /** The one that was kept of this very run; undefined when there is none that can be read. */
  async load(): Promise<ContainerPicture | undefined> {
    try {
      if ((await stat(this.#path)).size > MAX_BYTES) return undefined;
      const { runId, windows } = Kept.parse(JSON.parse(await readFile(this.#path, 'utf8')));
      return runId === this.#runId ? new Map(windows) : undefined;
    } catch {
      return undefined;
    }
  }

  /** There is a terminal again, or none at all any more. */
  remove(): Promise<void> {
    return this.#inTurn(() => rm(this.#path, { force: true }));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work).catch((error: unknown) => {
      this.#log('What a paused terminal showed could not be kept', { path: this.#path, error: messageOf(error) });
    });
    return this.#last;
  }
}
