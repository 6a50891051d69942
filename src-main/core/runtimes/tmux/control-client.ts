/**
 * A tmux client in control mode (tmux(1), CONTROL MODE): one long-lived process through which all commands go.
 * Commands travel over its standard input, so that what they carry is in no process's arguments.
 * It ends when the core does, however the core ends (see LIFELINE).
 *
 * Invariant: answers are matched to requests by a random word that each request asks tmux to repeat. What an agent has put on
 * its screen can therefore never be taken for the end of an answer, though it may look like one.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { quoteCommand } from './tmux-quote.ts';

/** A command that tmux refused, with tmux's own words. */
export class TmuxCommandError extends Error {
  override readonly name = 'TmuxCommandError';
}

interface Request {
  readonly nonce: string;
  readonly isGroup: boolean;
  readonly resolve: (lines: string[]) => void;
  readonly reject: (error: Error) => void;
}

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
  readonly #spec: ControlClientSpec;
  readonly #requests: Request[] = [];
  #lines: string[] = [];
  #rest = '';
  #stderr = '';
  #isClosed = false;

  constructor(spec: ControlClientSpec) {
    this.#spec = spec;
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
    output.on('data', (text: string) => this.#read(text));
    output.on('close', () => this.#close(this.#stderr.trim() || 'the tmux server ended'));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS);
    });
    child.on('error', (error) => this.#close(error.message));
    // That a write failed shows in the end of the output.
    this.#input.on('error', () => undefined);
    const [, , , lifeline] = child.stdio;
    if (!(lifeline instanceof Socket)) throw new Error('A pipe was asked for');
    lifeline.on('error', () => undefined);
    this.#lifeline = lifeline;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Runs one command and returns its output, line by line. Rejects with a TmuxCommandError if tmux refuses it. */
  run(words: readonly string[]): Promise<string[]> {
    return this.#send(quoteCommand(words), false);
  }

  /** Runs commands as one: the first that fails ends it. Not for commands that print what an agent wrote. */
  runAll(commands: readonly (readonly string[])[]): Promise<string[]> {
    return this.#send(commands.map(quoteCommand).join(' ; '), true);
  }

  #send(line: string, isGroup: boolean): Promise<string[]> {
    if (this.#isClosed)
      return Promise.reject(new AppError('UNAVAILABLE', 'tmux is not reachable: its control connection is closed'));
    const nonce = randomBytes(16).toString('hex');
    return new Promise((resolve, reject) => {
      this.#requests.push({ nonce, isGroup, resolve, reject });
      this.#input.write(`${line}\ndisplay-message -p ${nonce}\n`);
    });
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#readLine(line);
  }

  #readLine(line: string): void {
    const request = this.#requests[0];
    if (request === undefined) {
      this.#notify([line]);
      return;
    }
    this.#lines.push(line);
    const count = this.#lines.length;
    if (!line.startsWith('%end ') || this.#lines[count - 2] !== request.nonce) return;
    if (this.#lines[count - 3] !== line.replace('%end', '%begin')) return;
    const answer = this.#lines.slice(0, -3);
    this.#lines = [];
    this.#requests.shift();
    this.#answer(request, answer);
  }

  #answer(request: Request, lines: string[]): void {
    const output: string[] = [];
    const outside: string[] = [];
    let failure: string[] | undefined;
    for (let at = 0; at < lines.length; at += 1) {
      const line = lines[at] ?? '';
      if (!line.startsWith('%begin ')) {
        outside.push(line);
        continue;
      }
      const tail = line.slice('%begin'.length);
      const isEnd = (other: string): boolean => other === `%end${tail}` || other === `%error${tail}`;
      // Of a single command the last such line is the true one: whatever it printed came before.
      const end = request.isGroup ? lines.findIndex((other, index) => index > at && isEnd(other)) : lines.findLastIndex(isEnd);
      if (end < 0) break;
      const body = lines.slice(at + 1, end);
      if (lines[end]?.startsWith('%error') === true) failure ??= body;
      else output.push(...body);
      at = end;
    }
    this.#notify(outside);
    if (failure === undefined) request.resolve(output);
    else request.reject(new TmuxCommandError(failure.join(' ')));
  }

  #notify(lines: readonly string[]): void {
    for (const line of lines)
      if (line.startsWith('%') && !line.startsWith('%begin') && !line.startsWith('%end')) this.#spec.onNotification(line);
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#lifeline.end();
    this.#lifeline.destroy();
    this.#child.unref();
    for (const request of this.#requests.splice(0))
      request.reject(new AppError('UNAVAILABLE', `tmux is not reachable: ${reason}`));
    this.#spec.onClose(reason);
  }

  /** Ends the client; the server and its sessions stay. Requests that wait are rejected. */
  dispose(): void {
    this.#close('the connection was closed');
  }
}
