/**
 * A tmux client in control mode on this machine: one long-lived process through which all commands go.
 * Commands travel over its standard input, so that what they carry is in no process's arguments.
 * It ends when the core does, however the core ends (see LIFELINE).
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { ControlProtocol } from './control-protocol.ts';

/** How a control client is started. */
export interface ControlClientSpec {
  readonly tmuxPath: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Receives lines such as `%window-renamed @0 name`, between answers only. */
  readonly onNotification: (line: string) => void;
  /** The client has ended (the server is gone, or the client was killed). */
  readonly onClose: (reason: string) => void;
}

const MAX_STDERR_CHARS = 2000;

/**
 * Runs the client, and kills it when descriptor 3 ends, which it does when the core is gone. Left to itself, tmux 3.3a keeps a
 * control client whose input and output are both closed for ever, trying to write its last words.
 */
const LIFELINE = `
exec 4<&0
"$@" <&4 3<&- 4<&- &
exec </dev/null >/dev/null 2>&1 4<&-
read -r line <&3
kill -KILL $!
`.trim();

/** A tmux client in control mode. */
export class ControlClient implements Disposable {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #lifeline: Writable;
  readonly #protocol: ControlProtocol;
  #stderr = '';

  constructor(spec: ControlClientSpec) {
    // Its own session: Ctrl-C in the terminal of a headless core must not take the client before the core has let go.
    const child = spawn('/bin/sh', ['-c', LIFELINE, 'quarterdeck-tmux-client', spec.tmuxPath, ...spec.args], {
      env: { ...spec.env },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.#input = child.stdin;
    const output: Readable = child.stdout;
    output.setEncoding('utf8');
    output.on('data', (text: string) => this.#protocol.feed(text));
    output.on('close', () => this.#protocol.close(this.#stderr.trim() || 'the tmux server ended'));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS);
    });
    child.on('error', (error) => this.#protocol.close(error.message));
    // That a write failed shows in the end of the output.
    this.#input.on('error', () => undefined);
    const [, , , lifeline] = child.stdio;
    if (!(lifeline instanceof Socket)) throw new Error('A pipe was asked for');
    lifeline.on('error', () => undefined);
    this.#lifeline = lifeline;
    this.#protocol = new ControlProtocol({
      write: (text) => this.#input.write(text),
      onNotification: spec.onNotification,
      onClose: (reason) => {
        this.#lifeline.end();
        this.#lifeline.destroy();
        this.#child.unref();
        spec.onClose(reason);
      },
    });
  }

  get isClosed(): boolean {
    return this.#protocol.isClosed;
  }

  /** Runs one command and returns its output, line by line. Rejects with a TmuxCommandError if tmux refuses it. */
  run(words: readonly string[]): Promise<string[]> {
    return this.#protocol.run(words);
  }

  /** Runs commands as one: the first that fails ends it. Not for commands that print what an agent wrote. */
  runAll(commands: readonly (readonly string[])[]): Promise<string[]> {
    return this.#protocol.runAll(commands);
  }

  /** Ends the client; the server and its sessions stay. Requests that wait are rejected. */
  dispose(): void {
    this.#protocol.close('the connection was closed');
  }
}
