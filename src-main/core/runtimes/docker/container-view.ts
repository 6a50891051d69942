/**
 * A view of an agent's terminal in a container: a tmux client on a terminal that an `exec` makes there. It has a session of
 * its own that shares the agent's windows. To go, it is detached through the control client: only closing the stream would
 * leave its process in the container for good.
 *
 * In a paused container nothing can be started: a view opened there shows the picture that was taken before, and becomes a
 * live one when the agent goes on.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Container, Exec, ExecCreateOptions } from 'dockerode';
import { BOX_TERMINAL } from '#shared/box/places.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { clampSize } from '../pty/pty-process.ts';
import type { TerminalCapture, TerminalSize, TerminalStream } from '../runtime.ts';
import { TerminalFeed } from '../terminal-feed.ts';
import type { ContainerTmux } from './container-tmux.ts';
import { EXEC_ENV } from './container-tmux.ts';
import { askEngine } from './engine-deadline.ts';

/** How much typing is kept for an agent that does not read, in bytes; more is dropped. */
const MAX_PENDING_BYTES = 1 << 20;
/** How long a detached client may take to end, in milliseconds. */
const DETACH_MS = 2000;

/** What a view is made of. */
export interface ContainerViewSpec {
  readonly container: Container;
  readonly tmux: ContainerTmux;
  /** Id of the tmux window, such as `@0`, asked for when it can be. */
  readonly windowId: () => Promise<string>;
  readonly size: TerminalSize;
  readonly onDispose: (view: ContainerView) => void;
}

/**
 * Engines end an exec's input after certain keys (Ctrl-P Ctrl-Q by default), and hold back the first of them until the next
 * one comes. Here it takes a row of keys that nobody can guess; the first is Ctrl-^, which hardly any program uses.
 */
function detachKeys(): string {
  const letters = [...randomBytes(12)].map((byte) => String.fromCharCode(97 + (byte % 26)));
  return ['ctrl-^', ...letters].join(',');
}

/** One view. */
export class ContainerView implements TerminalStream {
  readonly sessionName = `${BOX_TERMINAL.viewPrefix}${randomBytes(6).toString('hex')}`;
  readonly #spec: ContainerViewSpec;
  readonly #feed = new TerminalFeed();
  #size: TerminalSize;
  #exec: Exec | undefined;
  #stream: Duplex | undefined;
  #connecting: Promise<void> | undefined;
  #isDisposed = false;

  constructor(spec: ContainerViewSpec) {
    this.#spec = spec;
    this.#size = clampSize(spec.size);
  }

  /** Shows what a terminal showed. */
  show(picture: TerminalCapture): void {
    const rows = picture.lines.slice(-picture.size.rows);
    const text = rows.map((line, index) => `\u001b[${index + 1};1H${line}`).join('');
    const cursor = `\u001b[${picture.cursor.y + 1};${picture.cursor.x + 1}H`;
    this.#feed.push(Buffer.from(`\u001b[0m\u001b[2J${text}\u001b[0m${cursor}`));
  }

  /** Starts the client, if it is not. Rejects when it cannot be. */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    const target = `=${this.sessionName}:`;
    const windowId = await this.#spec.windowId();
    const option = (...words: string[]): string[] => [';', 'set-option', '-t', target, ...words];
    const options: ExecCreateOptions = {
      Cmd: this.#spec.tmux.command(
        ...['new-session', '-E', '-t', `=${BOX_TERMINAL.session}`, '-s', this.sessionName],
        ...option('destroy-unattached', 'on'),
        ...option('prefix', 'None'),
        ...option('prefix2', 'None'),
        ...option('key-table', 'quarterdeck'),
        ...[';', 'select-window', '-t', `${target}${windowId}`],
      ),
      Env: [...EXEC_ENV],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
      DetachKeys: detachKeys(),
      // From API 1.42 on; earlier engines ignore it, and get the size right after the start.
      ConsoleSize: [this.#size.rows, this.#size.cols],
    };
    const exec = await askEngine('make a program in the container', (abortSignal) =>
      this.#spec.container.exec({ ...options, abortSignal }),
    );
    if (this.#isDisposed) return;
    const stream = await askEngine('start a program in the container', (abortSignal) =>
      exec.start({ hijack: true, stdin: true, Tty: true, abortSignal }),
    );
    this.#exec = exec;
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => this.#feed.push(chunk));
    for (const end of ['end', 'close', 'error']) stream.on(end, () => this.#feed.end());
    await this.#sendSize();
    if (this.#isDisposed) this.#detach();
  }

  onData(listener: (chunk: Uint8Array) => void): Disposable {
    return this.#feed.onData(listener);
  }

  onEnd(listener: () => void): Disposable {
    return this.#feed.onEnd(listener);
  }

  write(data: Uint8Array): void {
    const stream = this.#stream;
    if (stream?.writable !== true || this.#isDisposed || stream.writableLength + data.byteLength > MAX_PENDING_BYTES) return;
    stream.write(data);
  }

  resize(size: TerminalSize): void {
    this.#size = clampSize(size);
    if (this.#exec !== undefined && !this.#isDisposed) this.#sendSize().catch(() => undefined);
  }

  /** Sends the size until the engine has taken the last one. Its refusal means that the client has ended. */
  async #sendSize(): Promise<void> {
    for (let sent: TerminalSize | undefined; sent !== this.#size;) {
      sent = this.#size;
      await this.#exec?.resize({ h: sent.rows, w: sent.cols }).catch(() => undefined);
    }
  }

  /** Ends the view for whoever listens: it cannot be made live. */
  fail(): void {
    this.#feed.end();
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#feed.dispose();
    this.#spec.onDispose(this);
    if (this.#stream !== undefined) this.#detach();
  }

  #detach(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const destroy = (): void => void stream.destroy();
    stream.once('end', destroy);
    stream.resume();
    this.#spec.tmux
      .run('detach-client', '-s', `=${this.sessionName}`)
      // Gone with the container, or it is paused: whoever lets it go on sweeps what is left.
      .catch(() => undefined)
      .finally(() => setTimeout(destroy, DETACH_MS).unref());
  }
}
