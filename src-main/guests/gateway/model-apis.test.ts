import { withinTime } from '#e2e/support/effort.ts';
import fc from 'fast-check';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Redaction } from './redaction.ts';
import { ask, GatewayBench, listenAnywhere, portOf } from './testing/gateway-bench.ts';

const KEY = 'sk-test-0123456789abcdefghijklmnop';

let bench: GatewayBench;
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: IncomingMessage[] = [];

beforeEach(async () => {
  requests = [];
  answer = (_request, response) => response.end('ok');
  server = await listenAnywhere(
    createServer((incoming, response) => {
      requests.push(incoming);
      answer(incoming, response);
    }),
  );
  bench = await GatewayBench.open();
  await bench.own();
});

afterEach(async () => {
  await bench.close();
  server.closeAllConnections();
  server.close();
});

/** Gives the gateway a model API named "model" at the test's server. */
async function setApi(facts: Parameters<GatewayBench['modelApis']>[0][number] = {}): Promise<void> {
  const set = await bench.modelApis([{ name: 'model', upstream: `http://127.0.0.1:${portOf(server)}/base`, key: KEY, ...facts }]);
  expect(set.status).toBe(200);
}

describe('a model API', () => {
  it('gets the key, whatever the agent sent for one, and is recorded without it', async () => {
    await setApi();
    const { egress } = await bench.serve('ada', { modelApis: ['model'] });
    const got = await ask(egress, {
      method: 'POST',
      path: '/model/v1/messages?beta=true',
      headers: {
        'x-api-key': 'held-by-the-gateway',
        authorization: 'Bearer mine',
        'x-goog-api-key': 'mine',
        'api-key': 'mine',
        cookie: 'mine',
        'accept-encoding': 'gzip, br',
        'anthropic-version': '2023-06-01',
      },
      body: '{"a":1}',
    });
    expect(got).toMatchObject({ status: 200, text: 'ok' });
    const [seen] = requests;
    expect(seen?.url).toBe('/base/v1/messages?beta=true');
    expect(seen?.headers).toMatchObject({
      'x-api-key': KEY,
      host: `127.0.0.1:${portOf(server)}`,
      'anthropic-version': '2023-06-01',
      'accept-encoding': 'identity',
    });
    expect(JSON.stringify(seen?.rawHeaders)).not.toContain('mine');
    const events = await bench.events((all) => all.length >= 2);
    expect(events[1]?.connection).toMatchObject({
      via: 'model-api',
      host: '127.0.0.1',
      port: portOf(server),
      protocol: 'http',
      address: '127.0.0.1',
      outcome: 'closed',
      reason: 'model API "model"',
      sentBytes: 7,
      receivedBytes: 2,
    });
    expect(JSON.stringify(events)).not.toContain(KEY);
    expect((await bench.order('GET', '/status')).text).not.toContain(KEY);
  });

  it('gets "Bearer" before the key in authorization, and the project\'s own key before the one for all', async () => {
    await setApi({ header: 'authorization', projectKeys: { [bench.projectId]: 'the-key-of-the-project' } });
    const { egress } = await bench.serve('ada', { modelApis: ['model'] });
    await ask(egress, { path: '/model', headers: { authorization: 'Bearer mine' } });
    expect(requests[0]?.headers.authorization).toBe('Bearer the-key-of-the-project');
    expect(requests[0]?.url).toBe('/base');
  });

  it('streams its answer as it comes', async () => {
    await setApi();
    const { egress } = await bench.serve('ada', { modelApis: ['model'] });
    let streaming: ServerResponse | undefined;
    answer = (_request, response) => {
      streaming = response;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    };
    const parts: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const outgoing = request({ socketPath: egress, path: '/model/stream' }, (got) => {
        got.on('data', (chunk: Buffer) => {
          parts.push(chunk.toString());
          // The next part is only sent once this one has arrived.
          if (parts.length < 3) streaming?.write(`data: ${parts.length + 1}\n\n`);
          else streaming?.end();
        });
        got.on('end', resolve);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect(parts).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']);
  });

  it.each([
    ['is not named by the operator', '/other/v1', 404, 'no such model API'],
    ['is not this agent’s', '/foreign/v1', 403, 'may not use'],
    ['has no key', '/keyless/v1', 503, 'FOREIGN_KEY is not stored'],
  ])('that %s is refused', async (_what, path, status, text) => {
    const upstream = `http://127.0.0.1:${portOf(server)}`;
    await bench.modelApis([
      { name: 'foreign', upstream, key: KEY },
      { name: 'keyless', upstream, key: null, secret: 'FOREIGN_KEY' },
    ]);
    const { egress } = await bench.serve('ada', { modelApis: ['keyless'] });
    const got = await ask(egress, { path });
    expect([got.status, got.text]).toEqual([status, expect.stringContaining(text)]);
    expect(requests).toEqual([]);
    const [event] = await bench.events((all) => all.length >= 1);
    expect(event?.connection).toMatchObject({ via: 'model-api', outcome: 'refused' });
  });

  it('cannot be left by its path, nor asked to repeat what it got', async () => {
    await setApi();
    const { egress } = await bench.serve('ada', { modelApis: ['model'] });
    for (const path of [
      '/model/../x',
      '/model/%2e%2e/x',
      '/model/a/.%2E/x',
      '/model/..%2fx',
      '/model/..%5cx',
      '/model/..;a/x',
      '/model/..',
    ])
      expect((await ask(egress, { path })).status).toBe(400);
    expect((await ask(egress, { method: 'TRACE', path: '/model/x' })).status).toBe(400);
    expect((await ask(egress, { path: '/modelx/x' })).status).toBe(404);
    expect(requests).toEqual([]);
    expect((await ask(egress, { path: '/model/a..b/...?x=../y' })).status).toBe(200);
  });

  it('never gives its key to the agent, in headers or in the body', async () => {
    await setApi();
    const { egress } = await bench.serve('ada', { modelApis: ['model'] });
    answer = (incoming, response) => {
      response.writeHead(401, {
        'x-api-key': String(incoming.headers['x-api-key']),
        'x-echo': `was ${KEY}`,
        'set-cookie': 'a=b',
        'x-fine': '1',
      });
      response.write(`wrong key ${KEY.slice(0, 10)}`);
      setImmediate(() => response.end(`${KEY.slice(10)}, twice ${KEY}${KEY}. sk-test`));
    };
    const got = await ask(egress, { path: '/model/x' });
    expect(got.text).toBe(`wrong key ${'*'.repeat(KEY.length)}, twice ${'*'.repeat(KEY.length * 2)}. sk-test`);
    expect(JSON.stringify(got.headers)).not.toContain(KEY);
    expect(got.headers).toMatchObject({ 'x-fine': '1' });
    expect(got.headers['set-cookie']).toBeUndefined();
  });

  it('that does not answer is said so', async () => {
    await setApi({ upstream: 'http://127.0.0.1:1' });
    const { egress } = await bench.serve('ada', { modelApis: ['model'] });
    const got = await ask(egress, { path: '/model/x' });
    expect(got.status).toBe(502);
    expect(got.text).toContain('ECONNREFUSED');
    const [event] = await bench.events((all) => all.length >= 1);
    expect(event?.connection.outcome).toBe('failed');
  });

  it('is ended when it is taken away, in the middle of an answer', async () => {
    await setApi();
    const { egress } = await bench.serve('ada', { modelApis: ['model'] });
    answer = (_request, response) => response.write('one');
    const got = new Promise<string>((resolve) => {
      const outgoing = request({ socketPath: egress, path: '/model/x' }, (incoming) => {
        incoming.once('data', () => {
          bench.serve('ada', { modelApis: [] }).catch(() => undefined);
        });
        incoming.on('error', (error) => resolve(error.message));
        incoming.on('end', () => resolve('complete'));
      });
      outgoing.end();
    });
    expect(await got).toBe('aborted');
  });
});

it('replaces a key wherever a stream is cut, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('abcabcab', 'abc', 'abcabca', 'x', 'ab', 'babcabcabcab'), { maxLength: 12 }),
      fc.array(fc.nat(100), { maxLength: 6 }),
      withinTime(async (parts, places) => {
        const text = parts.join('');
        const stream = new Redaction('abcabcab');
        const cuts = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
        for (const [index, start] of [0, ...cuts].entries()) stream.write(text.slice(start, cuts[index] ?? text.length));
        stream.end();
        let result = '';
        for await (const chunk of stream) result += String(chunk);
        expect(result).toBe(text.replaceAll('abcabcab', '********'));
      }),
    ),
    { numRuns: 300 },
  );
});
