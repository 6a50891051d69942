import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { AGENT_HEADER, CONTROL_SOCKET, CORE_HEADER, GATEWAY_HEADER, GatewayStatus } from '#shared/gateway/model.ts';
import { ask, GatewayBench, listenAnywhere, portOf, sendRaw } from './testing/gateway-bench.ts';

let bench: GatewayBench;
let core: Server;
let sockets: WebSocketServer;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: IncomingMessage[] = [];

async function startCore(port = 0): Promise<Server> {
  const server = createServer((incoming, response) => {
    requests.push(incoming);
    answer(incoming, response);
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    requests.push(incoming);
    if (incoming.url === '/dropped') {
      socket.destroy();
      return;
    }
    if (incoming.url === '/refused') {
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
      return;
    }
    sockets.handleUpgrade(incoming, socket, head, (opened) => opened.on('message', (data) => opened.send(data)));
  });
  return await listenAnywhere(server, port);
}

function stopCore(): void {
  for (const client of sockets.clients) client.terminate();
  core.closeAllConnections();
  core.close();
}

beforeEach(async () => {
  requests = [];
  answer = (incoming, response) => {
    let size = 0;
    incoming.on('data', (chunk: Buffer) => (size += chunk.length));
    incoming.on('end', () => response.end(`${incoming.method} ${incoming.url} ${size}`));
  };
  sockets = new WebSocketServer({ noServer: true });
  core = await startCore();
  bench = await GatewayBench.open({ coreWaitMs: 15_000, agentBodyBytes: 100_000 });
  await bench.own(`http://127.0.0.1:${portOf(core)}`);
});

afterEach(async () => {
  await bench.close();
  stopCore();
});

/** Waits until so many calls wait for a core. */
async function untilWaiting(count: number): Promise<void> {
  while (GatewayStatus.parse(JSON.parse((await bench.order('GET', '/status')).text)).waiting !== count)
    await new Promise(setImmediate);
}

describe('the agent interface', () => {
  it('is passed on with the headers that only the gateway may set', async () => {
    const { agent } = await bench.serve('ada');
    const got = await ask(agent, {
      method: 'POST',
      path: '/mcp?tools=full',
      headers: {
        authorization: 'Bearer qda_x',
        [AGENT_HEADER]: 'eve',
        [GATEWAY_HEADER]: 'guessed',
        'keep-alive': 'x',
        connection: 'x-hop',
        'x-hop': '1',
      },
      body: 'hello',
    });
    expect(got).toMatchObject({ status: 200, text: 'POST /mcp?tools=full 5' });
    expect(requests[0]?.headers).toEqual({
      authorization: 'Bearer qda_x',
      'content-length': '5',
      host: `127.0.0.1:${portOf(core)}`,
      [AGENT_HEADER]: 'ada',
      [GATEWAY_HEADER]: 'a word only they two know',
      connection: 'close',
    });
  });

  it('takes those headers from nobody in any spelling', async () => {
    const { agent } = await bench.serve('ada');
    await sendRaw(
      agent,
      `GET /mcp HTTP/1.1\r\nHost: a\r\nX-QUARTERDECK-AGENT: eve\r\nx-quarterdeck-agent: eve\r\nConnection: close\r\n\r\n`,
    );
    expect(requests[0]?.headers[AGENT_HEADER]).toBe('ada');
    const named = await sendRaw(agent, `GET /mcp HTTP/1.1\r\nHost: a\r\nConnection: close, ${AGENT_HEADER}\r\n\r\n`);
    expect(named).toContain('200 OK');
    expect(requests[1]?.headers[AGENT_HEADER]).toBe('ada');
    expect(await sendRaw(agent, 'GET http://evil/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain(
      '400 Bad Request',
    );
    expect(await sendRaw(agent, 'CONNECT evil:80 HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
    expect(requests.length).toBe(2);
  });

  it('refuses bodies that are too large, announced or not', async () => {
    const { agent } = await bench.serve('ada');
    const announced = await sendRaw(agent, 'POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n');
    expect(announced).toContain('413 ');
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
    const streamed = await sendRaw(
      agent,
      `POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`,
      chunk,
      chunk,
      chunk,
      chunk,
    );
    expect(streamed).toContain('413 ');
    expect(await ask(agent, { method: 'POST', path: '/mcp', body: 'x'.repeat(100_000) })).toMatchObject({
      text: 'POST /mcp 100000',
    });
  });

  it('streams events, and ends the stream cleanly when the core goes', async () => {
    const { agent } = await bench.serve('ada');
    answer = (_incoming, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    };
    const text = await new Promise<string>((resolve, reject) => {
      const outgoing = request({ socketPath: agent, path: '/sse' }, (got) => {
        let all = '';
        got.on('data', (chunk: Buffer) => {
          all += chunk.toString();
          stopCore();
        });
        got.on('error', reject);
        got.on('end', () => resolve(all));
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect(text).toBe('data: 1\n\n');
  });

  it('shows that an answer is incomplete when the core goes in the middle of it', async () => {
    const { agent } = await bench.serve('ada');
    answer = (_incoming, response) => response.write('{"half":');
    const end = await new Promise<string>((resolve) => {
      const outgoing = request({ socketPath: agent, path: '/mcp' }, (got) => {
        got.once('data', stopCore);
        got.on('error', (error) => resolve(error.message));
        got.on('end', () => resolve('complete'));
      });
      outgoing.end();
    });
    expect(end).toBe('aborted');
  });

  it('carries WebSockets, with the same headers', async () => {
    const { agent } = await bench.serve('ada');
    const socket = new WebSocket(`ws+unix:${agent}:/ws`, 'mcp', { headers: { [AGENT_HEADER]: 'eve' } });
    socket.on('open', () => socket.send('over and back'));
    const data = await new Promise<string>((resolve, reject) => {
      socket.on('message', (got: Buffer) => resolve(got.toString()));
      socket.on('error', reject);
    });
    expect(data).toBe('over and back');
    expect(requests[0]?.headers).toMatchObject({ [AGENT_HEADER]: 'ada', 'sec-websocket-protocol': 'mcp' });
    stopCore();
    await new Promise((resolve) => socket.once('close', resolve));
  });

  it('gives nobody a connection to the core whose bytes it does not see', async () => {
    const { agent } = await bench.serve('ada');
    const second = `GET /mcp HTTP/1.1\r\nHost: a\r\n${AGENT_HEADER}: eve\r\n\r\n`;
    const upgrade = (path: string, to: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
    expect(await sendRaw(agent, upgrade('/refused', 'websocket') + second)).toMatch(/^HTTP\/1\.1 401 [^]*\r\n\r\nno$/);
    expect(await sendRaw(agent, upgrade('/ws', 'h2c') + second)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(agent, upgrade('/dropped', 'websocket') + second)).toMatch(/^HTTP\/1\.1 503 /);
    expect(requests.map(({ url }) => url)).toEqual(['/refused', '/dropped']);
  });
});

describe('while the core is away', () => {
  it('calls wait, with their bodies, and are answered by the next one', async () => {
    const { agent } = await bench.serve('ada');
    stopCore();
    const calls = [1, 2, 3].map(
      async (n) => (await ask(agent, { method: 'POST', path: `/mcp/${n}`, body: 'x'.repeat(50_000) })).text,
    );
    await untilWaiting(3);
    const socket = new WebSocket(`ws+unix:${agent}:/ws`, 'mcp');
    await untilWaiting(4);
    core = await startCore();
    bench.coreId = 'core-2';
    await bench.own(`http://127.0.0.1:${portOf(core)}`, 2000);
    expect(await Promise.all(calls)).toEqual(['POST /mcp/1 50000', 'POST /mcp/2 50000', 'POST /mcp/3 50000']);
    await new Promise((resolve) => socket.once('open', resolve));
    socket.terminate();
    await untilWaiting(0);
  });

  it('finds the same port again when it is back, without a word from anybody', async () => {
    const { agent } = await bench.serve('ada');
    const port = portOf(core);
    stopCore();
    await new Promise((resolve) => core.once('close', resolve));
    const call = ask(agent, { path: '/mcp' });
    await untilWaiting(1);
    core = await startCore(port);
    expect((await call).text).toBe('GET /mcp 0');
  });

  it('nothing is said to the next core on the same port in the name of the one that died', async () => {
    const { agent } = await bench.serve('ada');
    const following = request({
      socketPath: join(bench.dir, CONTROL_SOCKET),
      path: '/events?after=0',
      headers: { [CORE_HEADER]: bench.coreId },
    });
    following.on('error', () => undefined);
    await new Promise((resolve) => following.once('response', resolve).end());
    const port = portOf(core);
    stopCore();
    await new Promise((resolve) => core.once('close', resolve));
    following.destroy();
    const call = ask(agent, { path: '/mcp' });
    await untilWaiting(1);
    core = await startCore(port);
    const late = ask(agent, { path: '/mcp' });
    await untilWaiting(2);
    // The port answers, and is looked at again and again meanwhile.
    for (let n = 0; n < 30; n += 1) await untilWaiting(2);
    expect(requests).toEqual([]);
    bench.coreId = 'core-2';
    await bench.own(`http://127.0.0.1:${port}`, 2000);
    expect((await Promise.all([call, late])).map(({ status }) => status)).toEqual([200, 200]);
    expect(requests).toHaveLength(2);
  });

  it('hooks are answered with no at once, and so is who waited in vain', async () => {
    await bench.close();
    bench = await GatewayBench.open({ coreWaitMs: 100 });
    const { agent } = await bench.own().then(async () => await bench.serve('ada'));
    const hook = await ask(agent, { method: 'POST', path: '/hook/permission', body: '{}' });
    expect(hook.status).toBe(503);
    expect(hook.text).toContain('Quarterdeck is not running');
    expect(JSON.parse((await ask(agent, { path: '/mcp' })).text)).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('who gives up waiting is not counted any more', async () => {
    const { agent } = await bench.serve('ada');
    stopCore();
    const outgoing = request({ socketPath: agent, path: '/mcp' });
    outgoing.on('error', () => undefined);
    outgoing.end();
    await untilWaiting(1);
    outgoing.destroy();
    await untilWaiting(0);
    expect(GatewayStatus.parse(JSON.parse((await bench.order('GET', '/status')).text)).waiting).toBe(0);
  });
});
