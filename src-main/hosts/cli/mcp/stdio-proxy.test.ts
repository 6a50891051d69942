import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { CliError } from '../cli-error.ts';
import { runStdioProxy } from './stdio-proxy.ts';

const Message = z.looseObject({ id: z.unknown(), method: z.string().optional(), params: z.looseObject({}).optional() });
type Message = z.infer<typeof Message>;
type Answer = (message: Message, request: IncomingMessage, response: ServerResponse) => void;

const MODERN = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };

/** A server whose answers a test writes; it may be away and come back on the same port. */
class FakeServer {
  answer: Answer = (message, _request, response) => reply(response, { jsonrpc: '2.0', id: message.id, result: {} });
  readonly seen: { message: Message; headers: NodeJS.Dict<string | string[]> }[] = [];
  port = 0;
  #server: Server | undefined;

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        const message = Message.parse(JSON.parse(body));
        this.seen.push({ message, headers: request.headers });
        this.answer(message, request, response);
      });
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    if (this.#server) await once(this.#server, 'close');
    this.#server = undefined;
  }
}

function reply(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** The proxy before a server, driven like a client does. */
class Bench {
  readonly server = new FakeServer();
  readonly input = new PassThrough();
  readonly #lines: unknown[] = [];
  #isDown = false;
  done: Promise<void> = Promise.resolve();

  async start(): Promise<void> {
    await this.server.start();
    const output = new PassThrough();
    let rest = '';
    output.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) this.#lines.push(JSON.parse(part));
    });
    this.done = runStdioProxy({
      input: this.input,
      output,
      target: () =>
        this.#isDown
          ? Promise.reject(new CliError('NOT_RUNNING', 'Quarterdeck is not running.'))
          : Promise.resolve({ url: `http://127.0.0.1:${this.server.port}/mcp`, headers: { authorization: 'Bearer t' } }),
    });
  }

  async takeDown(): Promise<void> {
    this.#isDown = true;
    await this.server.stop();
  }

  async bringUp(): Promise<void> {
    await this.server.start();
    this.#isDown = false;
  }

  send(message: unknown): void {
    this.input.write(
      typeof message === 'string' ? `${message}\n` : `${JSON.stringify({ jsonrpc: '2.0', ...(message as object) })}\n`,
    );
  }

  /** The first message that matches, when it comes. */
  async answer(id: unknown): Promise<unknown> {
    const isIt = (line: unknown): boolean => z.object({ id: z.literal(id as string) }).safeParse(line).success;
    await expect.poll(() => this.#lines.some(isIt), { timeout: 10_000, interval: 10 }).toBe(true);
    expect(this.#lines.filter(isIt)).toHaveLength(1);
    return this.#lines.find(isIt);
  }

  get lines(): readonly unknown[] {
    return this.#lines;
  }

  async stop(): Promise<void> {
    this.input.end();
    await this.done;
    await this.server.stop();
  }
}

const benches: Bench[] = [];
async function newBench(): Promise<Bench> {
  const bench = new Bench();
  benches.push(bench);
  await bench.start();
  return bench;
}
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.stop();
});

describe('the stdio proxy', () => {
  it('passes plain and streamed answers, notifications before them included', async () => {
    const bench = await newBench();
    bench.server.answer = (message, _request, response) => {
      if (message.id === 1) return reply(response, { jsonrpc: '2.0', id: 1, result: { plain: 'ü' } });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': keep-alive\n\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n');
      response.write('event: message\r\ndata: {"jsonrpc":"2.0",\r\nda');
      response.end('ta: "id":2,"result":{"streamed":true}}\r\n\r\n');
    };
    bench.send({ id: 1, method: 'ping' });
    expect(await bench.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, result: { plain: 'ü' } });
    bench.send({ id: 2, method: 'tools/list' });
    expect(await bench.answer(2)).toEqual({ jsonrpc: '2.0', id: 2, result: { streamed: true } });
    expect(bench.lines).toContainEqual({ jsonrpc: '2.0', method: 'notifications/progress', params: {} });
  });

  it('names the version: of the handshake in the older era, of each request in the newer', async () => {
    const bench = await newBench();
    bench.server.answer = (message, _request, response) =>
      reply(response, {
        jsonrpc: '2.0',
        id: message.id,
        result: message.method === 'initialize' ? { protocolVersion: '2025-11-25' } : {},
      });
    bench.send({ id: 1, method: 'initialize', params: {} });
    await bench.answer(1);
    bench.send({ id: 2, method: 'tools/list' });
    await bench.answer(2);
    bench.send({ id: 3, method: 'tools/call', params: { ...MODERN, name: 'grüße' } });
    await bench.answer(3);
    const headers = bench.server.seen.map((entry) =>
      ['mcp-protocol-version', 'mcp-method', 'mcp-name', 'authorization'].map((name) => entry.headers[name]),
    );
    expect(headers).toEqual([
      [undefined, undefined, undefined, 'Bearer t'],
      ['2025-11-25', undefined, undefined, 'Bearer t'],
      ['2026-07-28', 'tools/call', `=?base64?${Buffer.from('grüße').toString('base64')}?=`, 'Bearer t'],
    ]);
  });

  it('waits for a core that is away and sends then, once', async () => {
    const bench = await newBench();
    await bench.takeDown();
    bench.send({ id: 'a', method: 'tools/call', params: { name: 'spawn_agent' } });
    await bench.bringUp();
    expect(await bench.answer('a')).toMatchObject({ result: {} });
    expect(bench.server.seen).toHaveLength(1);
  });

  it('does not repeat a call that may have been done, and says so; harmless ones it repeats', async () => {
    const bench = await newBench();
    bench.send({ id: 0, method: 'tools/list' });
    bench.server.answer = (message, _request, response) =>
      reply(response, {
        jsonrpc: '2.0',
        id: message.id,
        result: { tools: [{ name: 'list_agents', annotations: { readOnlyHint: true } }, { name: 'spawn_agent' }] },
      });
    await bench.answer(0);
    const broken = new Set<unknown>();
    bench.server.answer = (message, request, response) => {
      if (broken.has(message.id)) return reply(response, { jsonrpc: '2.0', id: message.id, result: { again: true } });
      broken.add(message.id);
      request.socket.destroy();
    };
    bench.send({ id: 1, method: 'tools/call', params: { name: 'spawn_agent' } });
    expect(await bench.answer(1)).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringContaining('may or may not have been done') as string }] },
    });
    bench.send({ id: 2, method: 'tools/call', params: { name: 'spawn_agent', arguments: { idempotencyKey: 'k' } } });
    expect(await bench.answer(2)).toMatchObject({ result: { again: true } });
    bench.send({ id: 3, method: 'tools/call', params: { name: 'list_agents' } });
    expect(await bench.answer(3)).toMatchObject({ result: { again: true } });
    bench.send({ id: 4, method: 'tools/list' });
    expect(await bench.answer(4)).toMatchObject({ result: { again: true } });
  });

  it('turns refusals into errors of the call, in the form of its era', async () => {
    const bench = await newBench();
    bench.server.answer = (_message, _request, response) =>
      reply(response, { code: 'UNAUTHORIZED', message: 'no such token' }, 401);
    bench.send({ id: 1, method: 'tools/list' });
    expect(await bench.answer(1)).toMatchObject({ error: { message: 'no such token' } });
    bench.send({ id: 2, method: 'tools/call', params: { ...MODERN, name: 'x' } });
    expect(await bench.answer(2)).toMatchObject({
      result: { isError: true, resultType: 'complete', structuredContent: { error: { message: 'no such token' } } },
    });
    bench.server.answer = (_message, _request, response) =>
      reply(response, { jsonrpc: '2.0', id: null, error: { code: -32_600, message: 'bad' } }, 400);
    bench.send({ id: 3, method: 'tools/list' });
    expect(await bench.answer(3)).toEqual({ jsonrpc: '2.0', id: 3, error: { code: -32_600, message: 'bad' } });
  });

  it('answers what is no message', async () => {
    const bench = await newBench();
    bench.send('{nonsense');
    bench.send('[1]');
    await expect.poll(() => bench.lines.length).toBe(2);
    expect(bench.lines).toMatchObject([
      { id: null, error: { code: -32_700 } },
      { id: null, error: { code: -32_600 } },
    ]);
  });

  it('ends the request of a cancelled call, and answers nothing more to it', async () => {
    const bench = await newBench();
    let isClosed = false;
    bench.server.answer = (_message, _request, response) => void response.once('close', () => (isClosed = true));
    bench.send({ id: 9, method: 'tools/call', params: { name: 'wait' } });
    await expect.poll(() => bench.server.seen.length).toBe(1);
    bench.send({ method: 'notifications/cancelled', params: { requestId: 9 } });
    await expect.poll(() => isClosed).toBe(true);
    bench.server.answer = (message, _request, response) => reply(response, { jsonrpc: '2.0', id: message.id, result: {} });
    bench.send({ id: 10, method: 'ping' });
    await bench.answer(10);
    expect(bench.lines).toHaveLength(1);
  });

  it('answers what was asked before its input ended', async () => {
    const bench = await newBench();
    bench.input.write('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    bench.input.end();
    await bench.done;
    expect(bench.lines).toHaveLength(1);
  });
});
