/**
 * A mock of a container engine: a socket that answers what a test tells it to, or nothing at all. For what no real engine can be
 * brought to do: to hang in the middle of a launch, to be too old, to be Podman where Podman cannot run.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { join } from 'node:path';
import Docker from 'dockerode';
import { removeFolder, scratchFolder } from '#core/runtimes/testing/support.ts';

/** An answer; `never` takes the question and stays silent, a function is called and answers what it resolves to. */
export type ScriptedAnswer =
  /** `isOpen`: the answer begins, and does not end. */
  | { readonly status: number; readonly body?: unknown; readonly isOpen?: boolean }
  | 'never'
  | ((question: { readonly path: string; readonly body: unknown }) => Promise<{ status: number; body?: unknown }>);

/** Answers by method and path without its query: `POST /containers/create`. */
export type EngineScript = Readonly<Record<string, ScriptedAnswer>>;

/** What Docker 20.10 says of itself, as far as it is looked at. */
export const DOCKER_20_10: EngineScript = {
  'GET /version': {
    status: 200,
    body: { Version: '20.10.24', ApiVersion: '1.41', Arch: 'amd64', Components: [{ Name: 'Engine' }] },
  },
  'GET /info': { status: 200, body: { ID: 'scripted', CgroupVersion: '2', Driver: 'overlay2', LiveRestoreEnabled: true } },
};

/** What Podman 4.3.1 (Debian 12) says of itself. */
export const PODMAN_4_3: EngineScript = {
  'GET /version': {
    status: 200,
    body: { Version: '4.3.1', ApiVersion: '1.41', Arch: 'amd64', Components: [{ Name: 'Podman Engine' }, { Name: 'Conmon' }] },
  },
  'GET /info': {
    status: 200,
    body: { ID: 'scripted', CgroupVersion: '1', Driver: 'overlay', SecurityOptions: ['name=seccomp'] },
  },
};

/** The mock. */
export class ScriptedEngine {
  readonly docker: Docker;
  readonly socketPath: string;
  /** What was asked, in order. */
  readonly asked: string[] = [];
  readonly #folder = scratchFolder();
  readonly #server: Server;
  #script: EngineScript;

  constructor(script: EngineScript) {
    this.#script = script;
    this.socketPath = join(this.#folder, 'engine.sock');
    this.docker = new Docker({ socketPath: this.socketPath });
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    });
  }

  /** Listens. */
  async start(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.socketPath, resolve);
    });
    return this;
  }

  /** Answers these from now on. */
  change(script: EngineScript): void {
    this.#script = { ...this.#script, ...script };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://engine').pathname);
    const question = `${request.method ?? 'GET'} ${path}`;
    this.asked.push(question);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
    const text = Buffer.concat(chunks).toString('utf8');
    const found = this.#script[question] ?? { status: 404, body: { message: `no ${question}` } };
    if (found === 'never') return;
    const answer = typeof found === 'function' ? await found({ path, body: text === '' ? undefined : JSON.parse(text) }) : found;
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    if ('isOpen' in answer && answer.isOpen === true) response.flushHeaders();
    else response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  }

  async dispose(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    removeFolder(this.#folder);
  }
}
