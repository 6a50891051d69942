/**
 * The container engine, as far as a line needs it: whether a container runs, and a program started in it whose input and output
 * are a stream. Two calls of the Docker API in plain HTTP, which Podman answers the same way.
 */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import * as z from 'zod';

/** How long an answer may take, in milliseconds: an engine that starts many containers is slow. */
const ANSWER_MS = 30_000;
/** Largest answer that is read, in bytes; of a container's description a hundredth is usual. */
const MAX_ANSWER_BYTES = 4_194_304;
const FRAME_HEADER_BYTES = 8;
const STDOUT = 1;
const STDERR = 2;

/** The engine refused something, or does not answer. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  /** 0: it does not answer. */
  readonly status: number;

  constructor(status: number, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.status = status;
  }
}

/** A program in a container. */
export interface EngineProgram {
  /** Its input; with what comes out of it, taken apart, in `onOutput`. Ends when the program or the engine does. */
  readonly socket: Socket;
  /** Begins reading. What the program says on its standard error is for people. */
  readonly read: (listeners: { onOutput: (bytes: Buffer) => void; onError: (bytes: Buffer) => void }) => void;
}

const Container = z.object({
  State: z.object({ Running: z.boolean(), Paused: z.boolean().nullish().transform(Boolean) }),
});
const Exec = z.object({ Id: z.string().min(1) });

/** An engine at a Unix socket. */
export class LineEngine {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** How a container is; `gone` when it has ended or there is none. Rejects with an EngineError. */
  async stateOf(container: string): Promise<'running' | 'paused' | 'gone'> {
    try {
      const { State } = Container.parse(await this.#ask('GET', `/containers/${encodeURIComponent(container)}/json`));
      return State.Paused ? 'paused' : State.Running ? 'running' : 'gone';
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return 'gone';
      throw error;
    }
  }

  /** Starts a program as the container's own user. Rejects with an EngineError. */
  async start(container: string, command: readonly string[]): Promise<EngineProgram> {
    const made = await this.#ask('POST', `/containers/${encodeURIComponent(container)}/exec`, {
      Cmd: command,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      Privileged: false,
    });
    return this.#hijack(`/exec/${encodeURIComponent(Exec.parse(made).Id)}/start`);
  }

  async #ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = this.#request(method, path, body, {}, reject);
      asked.once('response', resolve);
    });
    const text = await readText(response);
    const status = response.statusCode ?? 0;
    if (status >= 300) throw refusal(status, text);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new EngineError(status, 'the engine answered something that is no JSON', { cause: error });
    }
  }

  #hijack(path: string): Promise<EngineProgram> {
    return new Promise((resolve, reject) => {
      const asked = this.#request('POST', path, { Detach: false, Tty: false }, { connection: 'Upgrade', upgrade: 'tcp' }, reject);
      const take = (socket: Socket, first: Buffer): void => {
        socket.setTimeout(0);
        resolve({
          socket,
          read: ({ onOutput, onError }) => {
            const take = unframe(onOutput, onError);
            take(first);
            socket.on('data', take);
          },
        });
      };
      asked.once('upgrade', (_response, socket: Socket, head) => take(socket, head));
      asked.once('response', (response) => {
        readText(response).then(
          (text) => reject(refusal(response.statusCode ?? 0, text)),
          (error: unknown) => reject(error instanceof Error ? error : new EngineError(0, 'no answer')),
        );
      });
    });
  }

  #request(
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
    reject: (error: EngineError) => void,
  ): ReturnType<typeof request> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const asked = request({
      socketPath: this.#socketPath,
      method,
      path,
      agent: false,
      timeout: ANSWER_MS,
      headers: {
        host: 'engine',
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    });
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)));
    asked.on('error', (error) => reject(new EngineError(0, `the engine does not answer: ${error.message}`, { cause: error })));
    asked.end(text);
    return asked;
  }
}

/** Takes the engine's frames (kind of stream, three zeros, length, bytes) apart as they come. */
function unframe(onOutput: (bytes: Buffer) => void, onError: (bytes: Buffer) => void): (chunk: Buffer) => void {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  let headerBytes = 0;
  let left = 0;
  return (chunk) => {
    for (let rest = chunk; rest.length > 0;) {
      if (left === 0) {
        const taken = rest.copy(header, headerBytes);
        headerBytes += taken;
        rest = rest.subarray(taken);
        if (headerBytes < FRAME_HEADER_BYTES) return;
        headerBytes = 0;
        left = header.readUInt32BE(4);
        continue;
      }
      const part = rest.subarray(0, left);
      left -= part.length;
      rest = rest.subarray(part.length);
      if (header[0] === STDOUT) onOutput(part);
      else if (header[0] === STDERR) onError(part);
    }
  };
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      if (!(chunk instanceof Buffer)) continue;
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw new Error('its answer is too long');
      chunks.push(chunk);
    }
  } catch (error) {
    throw new EngineError(0, `the engine stopped answering: ${error instanceof Error ? error.message : 'unknown'}`, {
      cause: error,
    });
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Its own words, without more of them than anybody reads. */
function refusal(status: number, text: string): EngineError {
  const said = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text;
  return new EngineError(status, `the engine answered with ${status}: ${said.trim().slice(0, 300)}`);
}
