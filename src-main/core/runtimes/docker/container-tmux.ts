/**
 * The tmux server in one container, spoken to through one client in control mode, which an `exec` runs there. It is opened
 * when the agent starts: later there may be no room for one more process. Its output is always read.
 */
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Container, Exec } from 'dockerode';
import { BOX_TERMINAL, KIT, kitCommand } from '#shared/box/places.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { ControlProtocol } from '../tmux/control-protocol.ts';
import { askEngine } from './engine-deadline.ts';
import { engineFault } from './engine-faults.ts';

/** How long an answer may take, in milliseconds: an agent may use up all the processor time that its box has. */
const ANSWER_MS = 10_000;

/** What all our programs in a container get besides what it has. */
export const EXEC_ENV: readonly string[] = [
  ...Object.entries(KIT.env).map(([name, value]) => `${name}=${value}`),
  'TERM=xterm-256color',
];

/** Takes the engine's frames (see `unframe` in container-log.ts) apart as they come. */
export class FrameReader {
  readonly #onPayload: (payload: Buffer) => void;
  #rest = Buffer.alloc(0);

  constructor(onPayload: (payload: Buffer) => void) {
    this.#onPayload = onPayload;
  }

  feed(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 8) {
      const end = 8 + bytes.readUInt32BE(4);
      if (bytes.length < end) break;
      this.#onPayload(bytes.subarray(8, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = Buffer.from(bytes);
  }
}

/** The tmux server in one container. */
export class ContainerTmux implements Disposable {
  readonly #container: Container;
  readonly #arch: keyof typeof KIT.loader;
  readonly #onExec: (exec: Exec) => void;
  #protocol: ControlProtocol | undefined;
  #connecting: Promise<ControlProtocol> | undefined;
  #stream: Duplex | undefined;
  #isDisposed = false;

  constructor(options: { container: Container; arch: keyof typeof KIT.loader; onExec?: (exec: Exec) => void }) {
    this.#container = options.container;
    this.#arch = options.arch;
    this.#onExec = options.onExec ?? (() => undefined);
  }

  /** The command of a tmux client in the container. */
  command(...words: readonly string[]): string[] {
    return kitCommand(this.#arch, 'tmux', ['-u', '-S', BOX_TERMINAL.socket, ...words]);
  }

  /** Connects, if it is not. */
  async open(): Promise<void> {
    await this.#connection();
  }

  /** Runs one command and returns its output, line by line. Rejects with a TmuxCommandError if tmux refuses it. */
  async run(...words: readonly string[]): Promise<string[]> {
    const protocol = await this.#connection();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new AppError('UNAVAILABLE', 'The terminal in the container does not answer; try again')),
        ANSWER_MS,
      );
    });
    try {
      return await Promise.race([protocol.run(words), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #connection(): Promise<ControlProtocol> {
    if (this.#isDisposed) return Promise.reject(new AppError('UNAVAILABLE', 'The terminal of the container is closed'));
    if (this.#protocol?.isClosed === false) return Promise.resolve(this.#protocol);
    this.#connecting ??= this.#connect()
      .catch((error: unknown) => {
        throw engineFault('The terminal in the container cannot be reached', error);
      })
      .finally(() => {
        this.#connecting = undefined;
      });
    return this.#connecting;
  }

  async #connect(): Promise<ControlProtocol> {
    const options = {
      // It gets no output of the agent's, and its size is not the terminal's.
      Cmd: this.command('-C', 'attach-session', '-f', 'no-output,ignore-size', '-t', `=${BOX_TERMINAL.session}`),
      Env: [...EXEC_ENV],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
    };
    const exec = await askEngine('make a program in the container', (abortSignal) =>
      this.#container.exec({ ...options, abortSignal }),
    );
    const stream = await askEngine('start a program in the container', (abortSignal) =>
      exec.start({ hijack: true, stdin: true, abortSignal }),
    );
    this.#onExec(exec);
    if (this.#isDisposed) stream.destroy();
    this.#stream = stream;
    const decoder = new StringDecoder('utf8');
    const protocol = new ControlProtocol({
      write: (text) => stream.write(text),
      onNotification: () => undefined,
      onClose: () => undefined,
    });
    const frames = new FrameReader((payload) => protocol.feed(decoder.write(payload)));
    stream.on('data', (chunk: Buffer) => frames.feed(chunk));
    for (const end of ['end', 'close', 'error']) stream.on(end, () => protocol.close('the connection into the container ended'));
    this.#protocol = protocol;
    return protocol;
  }

  /** Lets go: the client detaches by itself when its input ends. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#protocol?.close('the connection was closed');
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.end('detach-client\n');
    // Read to its end, so that the client can say its last words and go.
    stream.resume();
    setTimeout(() => stream.destroy(), 1000).unref();
  }
}
