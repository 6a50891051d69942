import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, GatewayBench, listenAnywhere, sendRaw } from './testing/gateway-bench.ts';

let bench: GatewayBench;
let server: Server;
let heads: string[] = [];
let bodies: string[] = [];

beforeEach(async () => {
  heads = [];
  bodies = [];
  server = await listenAnywhere(
    createServer((request, response) => {
      heads.push(`${request.method} ${request.url} ${request.rawHeaders.join('|')}`);
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.setHeader('x-upstream', 'yes');
        response.end(`got ${body}`);
      });
    }),
  );
  bench = await GatewayBench.open();
  await bench.own();
  bench.network.serve('example.org', 80, server);
  bench.network.serve('example.org', 8080, server);
});

afterEach(async () => {
  await bench.close();
  server.close();
  server.closeAllConnections();
});

/** A request as a client of a proxy sends it. */
function raw(line: string, ...headers: readonly string[]): string {
  return `${line}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`;
}

const close = 'Connection: close';

describe('the HTTP proxy', () => {
  it('passes what a rule allows, written anew, and records it', async () => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:80:http'] });
    const answer = await ask(egress, {
      method: 'POST',
      path: 'http://Example.org/a/b?c=d',
      headers: {
        host: 'example.org',
        'proxy-authorization': 'Basic x',
        'proxy-connection': 'keep-alive',
        te: 'trailers',
        'x-mine': '1',
        upgrade: 'h2c',
        connection: 'upgrade, x-drop',
        'x-drop': '1',
      },
      body: 'some text',
    });
    expect(answer).toMatchObject({ status: 200, text: 'got some text' });
    expect(answer.headers['x-upstream']).toBe('yes');
    expect(heads).toEqual(['POST /a/b?c=d content-length|9|x-mine|1|Host|example.org|Connection|close']);
    const [, ended] = await bench.events((all) => all.length >= 2);
    expect(ended?.connection).toMatchObject({
      via: 'http',
      host: 'example.org',
      port: 80,
      protocol: 'http',
      outcome: 'closed',
      reason: 'example.org:80:http',
    });
    expect(ended?.connection.sentBytes).toBeGreaterThan(9);
    expect(ended?.connection.receivedBytes).toBeGreaterThan(13);
  });

  it('judges every request of a connection by itself', async () => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:80:http'] });
    const text = await sendRaw(
      egress,
      raw('GET http://example.org/1 HTTP/1.1', 'Host: example.org') +
        raw('GET http://evil.example/2 HTTP/1.1', 'Host: evil.example') +
        raw('GET http://example.org/3 HTTP/1.1', 'Host: example.org', close),
    );
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403', 'HTTP/1.1 200']);
    expect(heads.map((head) => head.slice(0, 6))).toEqual(['GET /1', 'GET /3']);
  });

  it.each([
    ['Host says another name', raw('GET http://example.org/ HTTP/1.1', 'Host: evil.example', close), 400],
    ['Host says another port', raw('GET http://example.org/ HTTP/1.1', 'Host: example.org:8080', close), 400],
    ['there are two Hosts', raw('GET http://example.org/ HTTP/1.1', 'Host: example.org', 'Host: evil.example', close), 400],
    ['there is no Host', raw('GET http://example.org/ HTTP/1.0'), 400],
    ['the URL names a user', raw('GET http://example.org@evil.example/ HTTP/1.1', 'Host: evil.example', close), 400],
    ['the URL has another scheme', raw('GET https://example.org/ HTTP/1.1', 'Host: example.org', close), 400],
    ['the port has no rule', raw('GET http://example.org:8080/ HTTP/1.1', 'Host: example.org:8080', close), 403],
    ['the host is an address', raw('GET http://93.184.216.34/ HTTP/1.1', 'Host: 93.184.216.34', close), 403],
    ['the address has an odd spelling', raw('GET http://0x7f.1/ HTTP/1.1', 'Host: 0x7f.1', close), 400],
    ['Connection names Host', raw('GET http://example.org/ HTTP/1.1', 'Host: example.org', 'Connection: close, host'), 400],
    [
      'Connection names Content-Length',
      raw('POST http://example.org/ HTTP/1.1', 'Host: example.org', 'Content-Length: 1', 'Connection: close, content-length') +
        'x',
      400,
    ],
    [
      'lengths are given twice',
      raw('POST http://example.org/ HTTP/1.1', 'Host: example.org', 'Content-Length: 1', 'Transfer-Encoding: chunked') +
        '0\r\n\r\n',
      400,
    ],
    [
      'lengths differ',
      raw('POST http://example.org/ HTTP/1.1', 'Host: example.org', 'Content-Length: 1', 'Content-Length: 2') + 'xx',
      400,
    ],
    [
      'the encoding is unknown',
      raw('POST http://example.org/ HTTP/1.1', 'Host: example.org', 'Transfer-Encoding: xchunked') + '0\r\n\r\n',
      400,
    ],
    [
      'the encoding is given twice',
      raw('POST http://example.org/ HTTP/1.1', 'Host: example.org', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity') +
        '0\r\n\r\n',
      400,
    ],
    ['a line is folded', raw('GET http://example.org/ HTTP/1.1', 'Host: example.org', 'X: a\r\n b'), 400],
    ['a line ends with LF alone', 'GET http://example.org/ HTTP/1.1\r\nHost: example.org\nX: a\r\n\r\n', 400],
    ['all lines end with LF alone', 'GET http://example.org/ HTTP/1.1\nHost: example.org\n\n', 400],
    ['a name has a space behind it', raw('GET http://example.org/ HTTP/1.1', 'Host : example.org'), 400],
    ['a header has a zero byte', raw('GET http://example.org/ HTTP/1.1', 'Host: example.org', 'X: a\0b'), 400],
    [
      'a chunk ends with LF alone',
      raw('POST http://evil.example/ HTTP/1.1', 'Host: evil.example', 'Transfer-Encoding: chunked', close) + '1\nx\r\n0\r\n\r\n',
      400,
    ],
  ])('refuses a request when %s', async (_what, request, status) => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:80:http'] });
    expect(await sendRaw(egress, request)).toMatch(new RegExp(`HTTP/1.1 ${status} `));
    expect(heads).toEqual([]);
  });

  it('passes a chunked body on as one, whatever would follow it', async () => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:80:http'] });
    const text = await sendRaw(
      egress,
      raw('POST http://example.org/ HTTP/1.1', 'Host: example.org', 'Transfer-Encoding: chunked') + '3\r\nabc\r\n0\r\n\r\n',
      raw('GET http://evil.example/ HTTP/1.1', 'Host: evil.example', close),
    );
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403']);
    expect(bodies).toEqual(['abc']);
  });

  it('refuses private addresses, and follows rules that change between two requests', async () => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:80:http'] });
    const get = async (): Promise<number> =>
      (await ask(egress, { path: 'http://example.org/', headers: { host: 'example.org' } })).status;
    expect(await get()).toBe(200);
    await bench.serve('ada', { rules: ['example.org:443:tls'] });
    expect(await get()).toBe(403);
    await bench.serve('ada', { rules: ['example.org:80:http'] });
    bench.network.names.set('example.org', [['169.254.169.254']]);
    expect(await get()).toBe(403);
    expect(heads.length).toBe(1);
  });
});
