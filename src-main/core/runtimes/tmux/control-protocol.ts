/**
 * What a tmux client in control mode says and hears (tmux(1), CONTROL MODE), whatever carries it: a process of this machine
 * (`ControlClient`) or an exec in a container (`container-tmux.ts`).
 *
 * Invariant: answers are matched to requests by a random word that each request asks tmux to repeat. What an agent has put on
 * its screen can therefore never be taken for the end of an answer, though it may look like one.
 */
import { randomBytes } from 'node:crypto';
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

/** What a protocol is made of. */
export interface ControlProtocolSpec {
  /** Sends text to the client's standard input. */
  readonly write: (text: string) => void;
  /** Receives lines such as `%window-renamed @0 name`, between answers only. */
  readonly onNotification: (line: string) => void;
  /** Called once, by `close`. */
  readonly onClose: (reason: string) => void;
}

/** One conversation with a control-mode client. */
export class ControlProtocol {
  readonly #spec: ControlProtocolSpec;
  readonly #requests: Request[] = [];
  #lines: string[] = [];
  #rest = '';
  #isClosed = false;

  constructor(spec: ControlProtocolSpec) {
    this.#spec = spec;
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
      this.#spec.write(`${line}\ndisplay-message -p ${nonce}\n`);
    });
  }

  /** Takes what the client printed, in pieces of any size. */
  feed(text: string): void {
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

  /** The client has ended: requests that wait are rejected. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const request of this.#requests.splice(0))
      request.reject(new AppError('UNAVAILABLE', `tmux is not reachable: ${reason}`));
    this.#spec.onClose(reason);
  }
}
