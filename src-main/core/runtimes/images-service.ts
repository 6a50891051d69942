/** Images of containers: which there are, and the one job that makes or fetches one. */
import type Docker from 'dockerode';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { ContainerImage, ImageJob } from '#shared/runtimes/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import { agentImageName, buildAgentImage, findImage } from './docker/agent-image.ts';
import { ensureKit } from './docker/image-kit.ts';
import { pullImage, wholeReference } from './docker/image-pull.ts';
import type { ImageProgress, ImageSource, ImageWay } from './docker/image-source.ts';

/** How many of the last lines of its output a job keeps. */
const KEPT_LINES = 200;
/** A line of output is cut here, in characters. */
const MAX_LINE = 400;
/** How many images are listed. */
const MAX_IMAGES = 500;

/** What the images need. */
export interface ImagesOptions {
  readonly store: AppStore;
  readonly docker: Docker;
  readonly source: ImageSource;
  readonly now: () => number;
  readonly log: (message: string, error: unknown) => void;
}

/** Owns the job. Invariant: at most one runs. */
export class ImagesService {
  readonly #o: ImagesOptions;
  readonly #ending = new AbortController();
  #job: ImageJob | null = null;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ImagesOptions) {
    this.#o = options;
  }

  /** The agent image of this version, and whether it is there. Fails when the engine does not answer. */
  async agentImage(): Promise<{ reference: string; isThere: boolean }> {
    const { reference } = await agentImageName(this.#o.source);
    return { reference, isThere: (await findImage(this.#o.docker, reference)) !== undefined };
  }

  /** All named images of the engine, newest first. Fails with UNAVAILABLE when the engine does not answer. */
  async list(): Promise<{
    agentImage: { reference: string; isThere: boolean };
    images: ContainerImage[];
    job: ImageJob | null;
  }> {
    const { reference } = await agentImageName(this.#o.source);
    const found = await this.#o.docker.listImages().catch((error: unknown) => {
      throw new AppError(
        'UNAVAILABLE',
        `The container engine does not answer: ${messageOf(error)}. \`quarterdeck doctor\` helps.`,
      );
    });
    const images = found
      .flatMap((image) =>
        (image.RepoTags ?? [])
          .filter((name) => !name.includes('<none>'))
          .map((name) => ({
            reference: name,
            id: image.Id,
            sizeBytes: image.Size,
            createdAt: image.Created * 1000,
            // Podman puts its own host before names that have none.
            isAgentImage: name === reference || name === `localhost/${reference}`,
          })),
      )
      .toSorted((one, other) => other.createdAt - one.createdAt);
    const isThere = images.some(({ isAgentImage }) => isAgentImage);
    return { agentImage: { reference, isThere }, images: images.slice(0, MAX_IMAGES), job: this.#job };
  }

  /**
   * Starts making the agent image (no reference) or fetching another one, and returns the job. A running job for the same image
   * is returned; for another one it is a CONFLICT.
   */
  async make(o: { reference?: string | undefined; way?: ImageWay | undefined }, caller: Caller): Promise<ImageJob> {
    const name = await agentImageName(this.#o.source);
    const reference = o.reference === undefined ? name.reference : wholeReference(o.reference);
    const kind = reference === name.reference ? 'build' : 'pull';
    if (kind === 'pull' && o.way !== undefined)
      throw new AppError('BAD_REQUEST', 'Only the agent image is made here: leave out the reference or the way.');
    if (this.#ending.signal.aborted) throw new AppError('UNAVAILABLE', 'Quarterdeck is ending.');
    const running = this.#job?.state === 'running' ? this.#job : undefined;
    if (running?.reference === reference) return running;
    if (running !== undefined)
      throw new AppError(
        'CONFLICT',
        `${running.reference} is still being ${running.kind === 'build' ? 'made' : 'fetched'}: ${running.step}. Wait for it.`,
      );
    const job: ImageJob = {
      reference,
      kind,
      state: 'running',
      step: 'Starting',
      progress: 0,
      log: [],
      problem: null,
      startedAt: this.#o.now(),
      endedAt: null,
    };
    this.#job = job;
    this.#work = this.#run(job, o.way, caller);
    return job;
  }

  /** Ends a running job and waits for its end. */
  async dispose(): Promise<void> {
    this.#ending.abort(new Error('Quarterdeck ended'));
    await this.#work;
  }

  /** Never rejects. */
  async #run(job: ImageJob, way: ImageWay | undefined, caller: Caller): Promise<void> {
    const startedAt = performance.now();
    try {
      const id = await (job.kind === 'build' ? this.#build(way) : this.#pull(job.reference));
      await this.#o.store.write((tx) =>
        tx.record(
          event({ projectId: SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject: job.reference }, 'image.made', {
            id,
            kind: job.kind,
            tookMs: Math.round(performance.now() - startedAt),
          }),
        ),
      );
      this.#change({ state: 'done', step: 'Done', progress: 1, endedAt: this.#o.now() });
    } catch (error) {
      if (!(error instanceof AppError)) this.#o.log(`${job.reference} could not be made`, error);
      const problem = this.#ending.signal.aborted ? 'Quarterdeck ended before it was done. Start it again.' : messageOf(error);
      this.#change({ state: 'failed', step: 'Failed', problem, endedAt: this.#o.now() });
    }
  }

  async #build(way: ImageWay | undefined): Promise<string> {
    const { docker, source } = this.#o;
    const { id, name } = await buildAgentImage(docker, source, {
      ...this.#progress(),
      ...(way === undefined ? {} : { way }),
      signal: this.#ending.signal,
    });
    this.#change({ step: 'Copying the kit for other images', progress: 0.97 });
    await ensureKit(docker, name);
    return id;
  }

  #pull(reference: string): Promise<string> {
    return pullImage(this.#o.docker, reference, { ...this.#progress(), signal: this.#ending.signal });
  }

  #progress(): ImageProgress {
    return {
      onStep: (step, progress) => this.#change({ step, progress: progress === null ? null : Math.min(progress, 0.96) }),
      onLine: (line) => {
        // What a program says is shown to people: without what steers a terminal.
        const text = line
          .replaceAll(/\p{Cc}/gu, ' ')
          .trimEnd()
          .slice(0, MAX_LINE);
        this.#change({ log: [...(this.#job?.log ?? []).slice(1 - KEPT_LINES), text] });
      },
    };
  }

  #change(changes: Partial<ImageJob>): void {
    if (this.#job) this.#job = { ...this.#job, ...changes };
  }
}
