import { createServer, connect as connectPlain } from 'node:net';
import type { Server, Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayBench, listenAnywhere, openTunnel, sendRaw } from './testing/gateway-bench.ts';
import type { TestCertificate } from './testing/make-certificate.ts';
import { makeCertificate } from './testing/make-certificate.ts';

let certificate: TestCertificate;
let bench: GatewayBench;
const servers: Server[] = [];
const sockets: Socket[] = [];

beforeAll(() => {
  certificate = makeCertificate('example.org', 'other.example');
});

beforeEach(async () => {
  bench = await GatewayBench.open();
  await bench.own();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  await bench.close();
});

/** A server that sends back what it gets; `accepted` counts connections, `seen` collects bytes. */
async function echo(): Promise<Server & { accepted: number; seen: string }> {
  const server = Object.assign(createServer({ allowHalfOpen: true }), { accepted: 0, seen: '' });
  server.on('connection', (socket) => {
    server.accepted += 1;
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      server.seen += chunk.toString('latin1');
      socket.write(chunk);
    });
    socket.on('end', () => socket.end());
  });
  servers.push(server);
  return await listenAnywhere(server);
}

async function tlsEcho(options: TlsOptions = {}): Promise<Server> {
  const server = createTlsServer({ ...certificate, ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => sockets.push(socket));
  servers.push(server);
  return await listenAnywhere(server);
}

/** Speaks TLS through a tunnel, says something and reads what comes back; rejects with what TLS says. */
async function speakTls(socket: Socket, options: ConnectionOptions, onSession?: (session: Buffer) => void): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    const tls = connectTls({ socket, ca: certificate.cert, ...options });
    tls.on('session', (session: Buffer) => onSession?.(session));
    tls.on('error', reject);
    tls.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
      tls.destroy();
    });
    tls.write('hello');
  });
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
}

/** Why the last connection was refused or failed. */
async function lastReason(count = 1): Promise<string> {
  const events = await bench.events((all) => all.length >= count);
  const last = events.at(-1)?.connection;
  return `${last?.outcome}: ${last?.reason}`;
}

describe('a tunnel', () => {
  it('is refused where no rule allows it, without a question to anybody', async () => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:443:tls'] });
    for (const target of ['evil.example:443', 'example.org:444', 'a.example.org:443', '93.184.216.34:443']) {
      const { status, text } = await openTunnel(egress, target);
      expect(status).toBe(403);
      expect(text).toContain('no rule allows it');
    }
    expect(bench.network.asked).toEqual([]);
    expect(bench.network.connected).toEqual([]);
    const events = await bench.events((all) => all.length >= 4);
    expect(events.map(({ connection: { host, port, protocol } }) => `${host}:${port}:${protocol}`)).toEqual([
      'evil.example:443:tls',
      'example.org:444:tcp',
      'a.example.org:443:tls',
      '93.184.216.34:443:tcp',
    ]);
  });

  it('for tls carries what names the server, and is in the log with bytes and duration', async () => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:443:tls'] });
    bench.network.serve('example.org', 443, await tlsEcho());
    const { socket } = await openTunnel(egress, 'EXAMPLE.org:443');
    expect(await speakTls(socket, { servername: 'example.org' })).toBe('hello');
    const [opened, ended] = await bench.events((all) => all.length >= 2);
    expect(opened?.connection).toMatchObject({
      via: 'connect',
      agentId: 'ada',
      host: 'example.org',
      port: 443,
      protocol: 'tls',
      address: '93.184.216.34',
      outcome: 'open',
      reason: 'example.org:443:tls',
      durationMs: null,
    });
    expect(ended?.connection).toMatchObject({ id: opened?.connection.id, outcome: 'closed' });
    expect(ended?.connection.sentBytes).toBeGreaterThan(200);
    expect(ended?.connection.receivedBytes).toBeGreaterThan(200);
    expect(ended?.connection.durationMs).toBeGreaterThanOrEqual(0);
  });

  it.each([
    ['TLS 1.3 with a second ClientHello', { ecdhCurve: 'P-384' }, { ecdhCurve: 'X25519:P-384' }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, {}],
    ['TLS 1.2 with its session resumed', { maxVersion: 'TLSv1.2' }, { maxVersion: 'TLSv1.2' }],
  ] as const)('carries %s', async (_what, server, client) => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:443:tls'] });
    bench.network.serve('example.org', 443, await tlsEcho(server));
    let session: Buffer | undefined;
    for (let round = 0; round < 3; round += 1) {
      const { socket } = await openTunnel(egress, 'example.org:443');
      const known = session === undefined ? {} : { session };
      const said = await speakTls(socket, { servername: 'example.org', ...client, ...known }, (found) => (session = found));
      expect(said).toBe('hello');
    }
  });

  it.each([
    ['another server name', { servername: 'other.example' }, 'names another server, "other.example"'],
    ['no server name', { servername: '' }, 'no SNI'],
  ])('for tls is refused with %s, and the client is told', async (_what, options, reason) => {
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['example.org:443:tls'] });
    bench.network.serve('example.org', 443, server);
    const { socket } = await openTunnel(egress, 'example.org:443');
    await expect(speakTls(socket, options)).rejects.toThrow(/access denied/i);
    expect(await lastReason()).toContain(`refused: its ClientHello`);
    expect(await lastReason()).toContain(reason);
    expect(server.seen).toBe('');
  });

  it('for tls reads a ClientHello that comes byte by byte', async () => {
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['example.org:443:tls'] });
    bench.network.serve('example.org', 443, server);
    const catcher = await echo();
    const whole = await new Promise<Buffer>((resolve) => {
      const address = catcher.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      catcher.once('connection', (socket) => socket.once('data', resolve));
      connectTls({ port, host: '127.0.0.1', servername: 'example.org' }).on('error', () => undefined);
    });
    const { socket } = await openTunnel(egress, 'example.org:443');
    socket.setNoDelay(true);
    for (const byte of whole) await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    await new Promise((resolve) => socket.once('data', resolve));
    expect(server.seen).toBe(whole.toString('latin1'));
  });

  it('for tls waits so long for a ClientHello, and refuses what is none', async () => {
    await bench.close();
    bench = await GatewayBench.open({ helloMs: 3000 });
    await bench.own();
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['example.org:443:tls'] });
    bench.network.serve('example.org', 443, server);
    const beginning = Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]);
    const slow = await openTunnel(egress, 'example.org:443');
    slow.socket.write(beginning);
    await closed(slow.socket);
    const plain = await openTunnel(egress, 'example.org:443');
    plain.socket.write('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n');
    await closed(plain.socket);
    const short = await openTunnel(egress, 'example.org:443');
    short.socket.end(beginning);
    await closed(short.socket);
    const events = await bench.events((all) => all.length >= 3);
    const reasons = events.map(({ connection }) => connection.reason);
    expect(reasons).toEqual([
      'its ClientHello was not complete in time',
      'it does not speak TLS',
      'it ended before its ClientHello was complete',
    ]);
    expect(server.seen).toBe('');
  });

  it('for tcp carries bytes as they are, both ways and to their end', async () => {
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['db.example:5432:tcp'] });
    bench.network.serve('db.example', 5432, server);
    const { socket } = await openTunnel(egress, 'db.example:5432');
    const sent = Buffer.alloc(3_000_000, 'abcdefg');
    let got = 0;
    socket.on('data', (chunk: Buffer) => (got += chunk.length));
    socket.end(sent);
    await closed(socket);
    expect(got).toBe(sent.length);
    const [, ended] = await bench.events((all) => all.length >= 2);
    expect(ended?.connection).toMatchObject({ outcome: 'closed', sentBytes: sent.length, receivedBytes: sent.length });
  });

  it('takes bytes that came with its CONNECT', async () => {
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['db.example:5432:tcp'] });
    bench.network.serve('db.example', 5432, server);
    const socket = connectPlain(egress);
    sockets.push(socket);
    socket.write('CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\nearly');
    let text = '';
    await new Promise<void>((resolve) =>
      socket.on('data', (chunk) => {
        text += chunk.toString();
        if (text.endsWith('early')) resolve();
      }),
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nearly$/s);
  });

  it('is no way through a rule for http', async () => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:80:http'] });
    const { status, text } = await openTunnel(egress, 'example.org:80');
    expect([status, text]).toEqual([403, expect.stringContaining('no tunnel')]);
  });

  it('that fails outside says so', async () => {
    const { egress } = await bench.serve('ada', { rules: ['gone.example:443:tls', 'none.example:443:tls'] });
    bench.network.names.set('gone.example', [['93.184.216.34']]);
    expect((await openTunnel(egress, 'gone.example:443')).status).toBe(502);
    expect(await lastReason()).toContain('failed: it could not be connected to (ECONNREFUSED)');
    expect((await openTunnel(egress, 'none.example:443')).text).toContain('the name has no address');
  });

  it('ends when nothing passes for too long', async () => {
    await bench.close();
    bench = await GatewayBench.open({ idleMs: 100 });
    await bench.own();
    const { egress } = await bench.serve('ada', { rules: ['db.example:5432:tcp'] });
    bench.network.serve('db.example', 5432, await echo());
    const { socket } = await openTunnel(egress, 'db.example:5432');
    await closed(socket);
    expect(await lastReason(2)).toBe('closed: nothing passed for too long');
  });
});

describe('an address', () => {
  it.each([
    '169.254.169.254',
    '127.0.0.1',
    '10.0.0.7',
    '192.168.0.1',
    '0.0.0.0',
    '100.64.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '255.255.255.255',
  ])('%s is refused, whatever name leads there', async (address) => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:443:tls', 'example.org:80:tcp'] });
    bench.network.names.set('example.org', [[address]]);
    for (const target of ['example.org:443', 'example.org:80']) {
      const { status, text } = await openTunnel(egress, target);
      expect(status).toBe(403);
      expect(text).toContain('the name leads to where agents may not go');
    }
    expect(bench.network.connected).toEqual([]);
  });

  it('of this machine is refused, also when it is public', async () => {
    const { egress } = await bench.serve('ada', { rules: ['example.org:443:tls'] });
    bench.network.serve('example.org', 443, await echo());
    bench.network.own = ['93.184.216.34'];
    expect((await openTunnel(egress, 'example.org:443')).text).toContain('one of this machine');
    expect(bench.network.connected).toEqual([]);
  });

  it.each([
    '169.254.169.254:80',
    '127.0.0.1:22',
    '[::1]:22',
    '[::ffff:127.0.0.1]:22',
    '0x7f.1:22',
    '2130706433:22',
    '127.1:22',
    'localhost:22',
    '0.0.0.0:22',
  ])('%s is refused when it is asked for, even under a rule for every name', async (target) => {
    const { egress } = await bench.serve('ada', {
      rules: [
        'localhost:22:tcp',
        'example.org:22:tcp',
        '169.254.169.254:80:tcp',
        '0.0.0.0:22:tcp',
        '0x7f.1:22:tcp',
        '2130706433:22:tcp',
        '127.1:22:tcp',
      ],
    });
    expect([400, 403]).toContain((await openTunnel(egress, target)).status);
    expect(bench.network.connected).toEqual([]);
  });

  it('is asked for once for each connection, and that answer is used: a second one changes nothing', async () => {
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['example.org:5432:tcp'] });
    bench.network.names.set('example.org', [['93.184.216.34'], ['127.0.0.1']]);
    const address = server.address();
    bench.network.routes.set('93.184.216.34:5432', typeof address === 'object' && address !== null ? address.port : 0);
    const first = await openTunnel(egress, 'example.org:5432');
    expect(first.status).toBe(200);
    expect(bench.network.asked).toEqual(['example.org']);
    first.socket.destroy();
    expect((await openTunnel(egress, 'example.org:5432')).text).toContain('127.0.0.1 is loopback');
    expect(bench.network.connected).toEqual(['93.184.216.34:5432']);
  });

  it('among several is used when it is public; the others are not, and are named', async () => {
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['example.org:5432:tcp'] });
    bench.network.serve('example.org', 5432, server);
    bench.network.names.set('example.org', [['10.0.0.1', '1.2.3.4', '93.184.216.34', '::1']]);
    expect((await openTunnel(egress, 'example.org:5432')).status).toBe(200);
    expect(bench.network.connected).toEqual(['1.2.3.4:5432', '93.184.216.34:5432']);
    expect(await lastReason()).toBe('open: example.org:5432:tcp (not used: 10.0.0.1 is private, ::1 is loopback)');
  });

  it('that is private is reached where a rule for tcp names it, and only exactly there', async () => {
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['10.0.0.1:5432:tcp', '10.0.0.2:443:tls'] });
    const address = server.address();
    bench.network.routes.set('10.0.0.1:5432', typeof address === 'object' && address !== null ? address.port : 0);
    expect((await openTunnel(egress, '10.0.0.1:5432')).status).toBe(200);
    expect((await openTunnel(egress, '[::ffff:10.0.0.1]:5432')).status).toBe(200);
    for (const target of ['10.0.0.1:5433', '10.0.0.2:5432', '10.0.0.2:443'])
      expect((await openTunnel(egress, target)).status).toBe(403);
    expect(new Set(bench.network.connected)).toEqual(new Set(['10.0.0.1:5432']));
  });
});

describe('rules that change', () => {
  it('close what they do not allow any more, at once, and nothing else', async () => {
    const server = await echo();
    const { egress } = await bench.serve('ada', { rules: ['db.example:5432:tcp', '*.example:6000:tcp'] });
    bench.network.serve('db.example', 5432, server);
    bench.network.serve('db.example', 6000, server);
    const { socket } = await openTunnel(egress, 'db.example:5432');
    const { socket: staying } = await openTunnel(egress, 'db.example:6000');
    await bench.serve('ada', { rules: ['db.example:6000:tcp', 'db.example:5432:tls'] });
    await closed(socket);
    const ended = (await bench.events((all) => all.some(({ connection }) => connection.outcome === 'closed'))).at(-1);
    expect(ended?.connection).toMatchObject({ port: 5432, outcome: 'closed', reason: 'no rule allows it any more' });
    staying.write('still');
    expect(String(await new Promise((resolve) => staying.once('data', resolve)))).toBe('still');
    await bench.order('DELETE', '/agents/ada');
    await closed(staying);
  });
});

describe('an agent that misbehaves', () => {
  it('gets no further with garbage, endless heads, or silence', async () => {
    await bench.close();
    bench = await GatewayBench.open({ headMs: 200 });
    await bench.own();
    const { egress, agent } = await bench.serve('ada');
    for (const path of [egress, agent]) {
      expect(await sendRaw(path, Buffer.from([0, 1, 2, 3, 255]))).toMatch(/^HTTP\/1\.1 400/);
      expect(await sendRaw(path, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400/);
      await sendRaw(path, 'CONNECT example.org:443 HTTP/1.1\r\nHost:');
      await sendRaw(path, '');
    }
    expect((await openTunnel(egress, 'example.org:443')).status).toBe(403);
  });

  it('has its own limits, and takes nothing from others', async () => {
    await bench.close();
    bench = await GatewayBench.open({ connections: 20, requestsPerSecond: 1, burst: 1 });
    await bench.own();
    const server = await echo();
    const flooding = await bench.serve('flood', { rules: ['db.example:5432:tcp'] });
    const calm = await bench.serve('calm', { rules: ['db.example:5432:tcp'] });
    bench.network.serve('db.example', 5432, server);
    const held: Socket[] = [];
    for (let i = 0; i < 300; i += 1) {
      const socket = connectPlain(flooding.egress);
      socket.on('error', () => undefined);
      socket.write('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n');
      held.push(socket);
    }
    await new Promise((resolve) => held.at(-1)?.once('connect', resolve));
    const began = performance.now();
    expect((await openTunnel(calm.egress, 'db.example:5432')).status).toBe(200);
    // The flood's own twenty would be answered in as many seconds.
    expect(performance.now() - began).toBeLessThan(8000);
    for (const socket of held) socket.destroy();
  });
});
