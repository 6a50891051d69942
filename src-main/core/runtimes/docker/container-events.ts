/**
 * What an engine tells of the containers of one instance: one stream, kept open. When it breaks, the engine is asked again
 * until it answers, and what happened meanwhile is replayed; that may be less than everything (an engine that was restarted
 * has forgotten), so whoever listens then looks for itself. Nothing is polled.
 */
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import * as z from 'zod';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { LABEL } from './container-options.ts';
import { askEngine } from './engine-deadline.ts';

const EngineEvent = z
  .object({
    /** The name of what happened; Podman and newer engines say `Action`, too. */
    status: z.string().optional(),
    Action: z.string().optional(),
    id: z.string().optional(),
    Actor: z.object({ ID: z.string().optional(), Attributes: z.record(z.string(), z.string()).optional() }).optional(),
    time: z.number().optional(),
    timeNano: z.number().optional(),
  })
  .transform((event) => ({
    action: (event.status ?? event.Action ?? '').split(':')[0] ?? '',
    containerId: event.id ?? event.Actor?.ID ?? '',
    attributes: event.Actor?.Attributes ?? {},
    /** Seconds since the epoch, with a fraction; 0 when the engine did not say. */
    at: event.timeNano === undefined ? (event.time ?? 0) : event.timeNano / 1e9,
  }));
/** Something that happened to a container: create, start, die, oom, pause, unpause, destroy and others. */
export type EngineEvent = z.infer<typeof EngineEvent>;

/** Waits between two tries to reach an engine that went away, in milliseconds: short at first, a restart takes seconds. */
const RETRY_MS = [50, 100, 200, 400, 800, 1500, 3000];
/** A line of the stream is never longer; more is dropped, in characters. */
const MAX_LINE = 1 << 20;
/** What is replayed after a break begins this much before the last event that was seen, in seconds. */
const OVERLAP_S = 2;

/** The events of one instance's containers. */
export class ContainerEvents implements Disposable {
  readonly #docker: Docker;
  readonly #instanceId: string;
  readonly #log: RuntimeLog;
  readonly #events = new Emitter<EngineEvent>();
  readonly #lost = new Emitter<void>();
  readonly #back = new Emitter<void>();
  readonly #closing = new AbortController();
  #opening: Promise<void> | undefined;
  #isOpen = false;
  #lastAt = 0;
  #retries = 0;
  #timer: NodeJS.Timeout | undefined;
  #stream: Readable | undefined;

  constructor(options: { docker: Docker; instanceId: string; log: RuntimeLog }) {
    this.#docker = options.docker;
    this.#instanceId = options.instanceId;
    this.#log = options.log;
  }

  onEvent(listener: (event: EngineEvent) => void): Disposable {
    return this.#events.on(listener);
  }

  /** The stream broke. */
  onLost(listener: () => void): Disposable {
    return this.#lost.on(listener);
  }

  /** The engine answers again: look what is there. */
  onBack(listener: () => void): Disposable {
    return this.#back.on(listener);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when events are being heard. Rejects when the engine cannot be reached now. */
  async open(): Promise<void> {
    if (this.#isOpen || this.#closing.signal.aborted) return;
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async #connect(): Promise<void> {
    const since = this.#lastAt > 0 ? { since: Math.floor(this.#lastAt - OVERLAP_S) } : {};
    const filters = { type: ['container' as const], label: [`${LABEL.instance}=${this.#instanceId}`] };
    const stream = await askEngine('tell of its containers', (abortSignal) =>
      this.#docker.getEvents({ ...since, filters, abortSignal }),
    );
    if (!(stream instanceof Readable)) throw new TypeError('The engine gave no stream of events');
    clearTimeout(this.#timer);
    this.#stream = stream;
    if (this.#closing.signal.aborted) stream.destroy();
    this.#isOpen = true;
    this.#retries = 0;
    // From here on nothing is missed, even if nothing ever happened before.
    if (this.#lastAt === 0) this.#lastAt = Date.now() / 1000;
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(0, MAX_LINE);
      for (const line of lines) this.#read(line);
    });
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      this.#broke();
    };
    for (const end of ['end', 'close', 'error']) stream.on(end, over);
  }

  #read(line: string): void {
    if (line.trim() === '') return;
    try {
      const event = EngineEvent.parse(JSON.parse(line));
      this.#lastAt = Math.max(this.#lastAt, event.at);
      this.#events.fire(event);
    } catch (error) {
      this.#log('An event of the container engine could not be read', { error: messageOf(error) });
    }
  }

  #broke(): void {
    this.#isOpen = false;
    this.#stream = undefined;
    if (this.#closing.signal.aborted) return;
    this.#lost.fire();
    this.#retry();
  }

  #retry(): void {
    if (this.#closing.signal.aborted) return;
    const wait = RETRY_MS[Math.min(this.#retries, RETRY_MS.length - 1)] ?? 3000;
    this.#retries += 1;
    this.#timer = setTimeout(() => {
      this.open().then(
        () => {
          if (!this.#closing.signal.aborted) this.#back.fire();
        },
        () => this.#retry(),
      );
    }, wait);
    this.#timer.unref();
  }

  dispose(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.#events.dispose();
    this.#lost.dispose();
    this.#back.dispose();
    this.#stream?.destroy();
  }
}
