/** MessageChannelMain for the electron emulation, and the relay of its ports into a page. */
import { EventEmitter } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { Page } from '@playwright/test';
import type { PageSide, PortData } from './preload-shim.ts';
import { BINDINGS, ENTRY } from './preload-shim.ts';
import { strict } from './strict.ts';

/** A port in the main process: Node's, with Electron's form of the message event. */
export class EmulatedPort extends EventEmitter {
  readonly raw: MessagePort;

  constructor(raw: MessagePort) {
    super();
    this.raw = raw;
    raw.on('message', (data: unknown) => this.emit('message', { data, ports: [] }));
    raw.on('close', () => this.emit('close'));
    // Listening started it; Electron's are started by hand.
    raw.unref();
  }

  postMessage(message: unknown): void {
    this.raw.postMessage(message);
  }

  start(): void {
    this.raw.start();
  }

  close(): void {
    this.raw.close();
  }
}

/** `new MessageChannelMain()`. */
export class MessageChannelMain {
  readonly port1: EmulatedPort;
  readonly port2: EmulatedPort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = strict('MessagePortMain', new EmulatedPort(port1));
    this.port2 = strict('MessagePortMain', new EmulatedPort(port2));
  }
}

function encode(message: unknown): PortData {
  if (typeof message === 'string') return { kind: 'text', text: message };
  if (message instanceof Uint8Array) return { kind: 'bytes', base64: Buffer.from(message).toString('base64') };
  if (message instanceof ArrayBuffer) return { kind: 'bytes', base64: Buffer.from(message).toString('base64') };
  throw new Error('electron emulation: only text and bytes go through a port here');
}

function decode(data: PortData): string | Uint8Array {
  return data.kind === 'text' ? data.text : new Uint8Array(Buffer.from(data.base64, 'base64'));
}

/** Carries ports and IPC messages between this process and one page, in order. */
export class PageRelay {
  readonly #page: Page;
  readonly #ports = new Map<number, EmulatedPort>();
  #lastId = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(page: Page) {
    this.#page = page;
  }

  /** Lets the page answer; before it is loaded. */
  async open(): Promise<void> {
    await this.#page.exposeFunction(BINDINGS.port, (id: number, data: PortData | null) => {
      if (data === null) this.#drop(id);
      else this.#ports.get(id)?.postMessage(decode(data));
    });
  }

  /** Sends an IPC message with ports, as WebFrameMain.postMessage does. */
  deliver(channel: string, message: unknown, ports: readonly EmulatedPort[]): void {
    const ids = ports.map((port) => {
      this.#lastId += 1;
      const id = this.#lastId;
      this.#ports.set(id, port);
      port.on('message', (event: { data: unknown }) => this.#call('portMessage', [id, encode(event.data)]));
      port.on('close', () => {
        if (this.#ports.delete(id)) this.#call('portClosed', [id]);
      });
      return id;
    });
    this.#call('deliver', [channel, message, ids]);
    for (const port of ports) port.start();
  }

  /** The page was left: its ends of the ports are gone. */
  reset(): void {
    for (const id of this.#ports.keys()) this.#drop(id);
  }

  #drop(id: number): void {
    const port = this.#ports.get(id);
    this.#ports.delete(id);
    port?.close();
  }

  #call(method: keyof PageSide, args: readonly unknown[]): void {
    // One after the other: a port keeps its order.
    this.#turn = this.#turn
      .then(() =>
        this.#page.evaluate(
          ([entry, name, values]) => {
            const side: unknown = Reflect.get(window, entry);
            const run: unknown = typeof side === 'object' && side !== null ? Reflect.get(side, name) : undefined;
            if (typeof run === 'function') Reflect.apply(run, side, values);
          },
          [ENTRY, method, [...args]] as const,
        ),
      )
      // A page that goes away in the middle takes its ports along.
      .catch(() => undefined);
  }
}
