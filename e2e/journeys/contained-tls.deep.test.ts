/**
 * A contained agent asks for a name that it may reach, and inside says another one: other server names, none, a ClientHello in
 * pieces. Real container, relay, core and gateway; only what lies behind the gateway is the spec's own, a network in which a
 * public address leads to a TLS server on the loopback, since private addresses are refused and nothing public answers here.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server, TLSSocket } from 'node:tls';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { curlInside, nodeInside } from '#e2e/support/contained-agent.ts';
import { containerOf, removeContainers } from '#e2e/support/containers.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { REPOSITORY } from '#e2e/support/this-repository.ts';
import { Agent } from '#shared/agents/model.ts';
import { pathsOf } from '#core/paths.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';
import { Gateway } from '#guests/gateway/gateway.ts';
import { TestNetwork } from '#guests/gateway/testing/gateway-bench.ts';
import { makeCertificate } from '#guests/gateway/testing/make-certificate.ts';

const JOURNEY_MS = 240_000;
const WITHIN = { timeout: 60_000, interval: 100 };
const ALLOWED = 'allowed.example.org';
const OTHER = 'other.example.org';

let dataDir: string;
let folder: string;
let server: Server;
let gateway: Gateway;
let core: TestCore;
let rest: RestClient;
let container: string;
const network = new TestNetwork();
/** Server names with which somebody came through. */
const came: (string | false | null)[] = [];
/** Everything that was ever connected, with what came in it. */
const sockets: Socket[] = [];

describe.skipIf(ENGINE_MISSING)(`a contained agent and names in TLS${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  beforeAll(async () => {
    await ensureTestKit();
    dataDir = makeDataDir();
    folder = mkdtempSync(join(tmpdir(), 'qd-tls-'));
    server = createServer(makeCertificate(ALLOWED, OTHER), (socket: TLSSocket) => {
      came.push(socket.servername ?? null);
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello');
    });
    server.on('connection', (socket: Socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    for (const name of [ALLOWED, OTHER]) network.serve(name, 443, server, '93.184.216.34');

    const paths = pathsOf(dataDir, process.env);
    // The core finds it in its place and uses it, as it does one that an earlier core left.
    gateway = await Gateway.start({
      socketDir: paths.socketDir,
      log: join(paths.logs, 'egress.jsonl'),
      // Of another version it would be replaced.
      version: z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')))
        .version,
      network,
    });
    core = await startCore({ dataDir });
    rest = new RestClient(core);
    const draft = { id: 'asker', type: 'command', runtime: 'docker', command: ['sleep', '3600'], projectFolder: folder };
    expect(Agent.parse(await rest.ok('POST', '/agents', draft)).boundary).toBe('container');
    await rest.ok('PUT', '/agents/asker/egress', { mode: 'deny', rules: [`${ALLOWED}:443:tls`] });
    container = await containerOf(dataDir, 'asker');
    expect(gateway.status().agents).toEqual(['asker']);
  }, JOURNEY_MS);

  afterAll(async () => {
    expect(await core.stop()).toBe(0);
    await gateway.end('the spec is over');
    await removeContainers(dataDir);
    removeDataDir(dataDir);
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('reaches the allowed name as itself, also with a ClientHello in pieces', { timeout: JOURNEY_MS }, async () => {
    const asked = await curlInside(container, '--insecure', '-x', 'http://127.0.0.1:3128', `https://${ALLOWED}/`);
    expect(asked).toEqual({ status: '200', body: 'hello' });
    expect(
      await tlsInside([{ servername: ALLOWED }, { servername: ALLOWED, piece: 1 }, { servername: ALLOWED, piece: 40 }]),
    ).toEqual(['hello', 'hello', 'hello']);
    expect(came.splice(0)).toEqual([ALLOWED, ALLOWED, ALLOWED, ALLOWED]);
  });

  it('reaches nobody with another name, none, or another one in pieces, and is told why', { timeout: JOURNEY_MS }, async () => {
    const before = sockets.length;
    const hidden = [
      { servername: OTHER },
      {},
      { servername: OTHER, piece: 1 },
      { piece: 30 },
      { servername: `${ALLOWED}.${OTHER}` },
    ];
    const answers = await tlsInside(hidden);
    expect(answers).toHaveLength(hidden.length);
    expect(answers.filter((answer) => answer === 'hello')).toEqual([]);
    // No rule names the other one, so that asking for it by its own name is no way either.
    const asked = await curlInside(container, '--insecure', '-x', 'http://127.0.0.1:3128', `https://${OTHER}/`);
    expect(asked.status).toBe('000');
    expect(came, 'nobody came').toEqual([]);
    await vi.waitFor(async () => {
      const { connections } = z
        .object({ connections: z.array(z.object({ host: z.string(), reason: z.string() })) })
        .parse(await rest.ok('GET', '/egress/connections?agentId=asker&outcome=refused&limit=200'));
      const reasons = connections.filter(({ host }) => host === ALLOWED).map(({ reason }) => reason);
      expect(
        reasons.some((reason) => reason.includes(OTHER)),
        reasons.join('; '),
      ).toBe(true);
      expect(
        reasons.some((reason) => /no server name|without|names no/i.test(reason)),
        reasons.join('; '),
      ).toBe(true);
    }, WITHIN);
    // A connection is there before it is known what will be said in it; not a byte was said.
    expect(
      sockets.slice(before).reduce((sum, socket) => sum + socket.bytesRead, 0),
      'bytes that came through',
    ).toBe(0);
  });
});

/**
 * From inside, by Node: CONNECT to the allowed name, then TLS with these server names (none: no such extension). `piece`: the
 * ClientHello goes in pieces of so many bytes, each a segment of its own. What was answered, or why nothing was.
 */
async function tlsInside(asked: readonly { servername?: string; piece?: number }[]): Promise<string[]> {
  const script = `
const { connect } = require('node:net');
const tls = require('node:tls');
const { Duplex } = require('node:stream');
const wait = () => new Promise((done) => setTimeout(done, 1));
/** Writes its first flight in pieces. */
function inPieces(socket, size) {
  let isFirst = true;
  const duplex = new Duplex({
    read() { socket.resume(); },
    async write(chunk, _encoding, done) {
      if (isFirst) { isFirst = false; for (let at = 0; at < chunk.length && !socket.destroyed; at += size) { socket.write(chunk.subarray(at, at + size)); await wait(); } done(); }
      else socket.write(chunk, () => done());
    },
    final(done) { socket.end(); done(); },
  });
  socket.on('data', (chunk) => { if (!duplex.push(chunk)) socket.pause(); });
  socket.on('end', () => duplex.push(null));
  socket.on('close', () => duplex.destroy());
  return duplex;
}
const ask = ({ servername, piece }) => new Promise((done) => {
  const socket = connect(3128, '127.0.0.1');
  socket.setNoDelay(true);
  const timer = setTimeout(() => { done('silence'); socket.destroy(); }, 40000);
  const end = (said) => { clearTimeout(timer); done(said); socket.destroy(); };
  socket.on('error', (error) => end(String(error.code)));
  socket.on('close', () => end('closed'));
  let head = '';
  const onHead = (chunk) => {
    head += chunk;
    if (!head.includes('\\r\\n\\r\\n')) return;
    socket.off('data', onHead);
    if (!/^HTTP\\/1.1 200/.test(head)) return end(head.split('\\r\\n')[0]);
    const raw = piece === undefined ? socket : inPieces(socket, piece);
    const secure = tls.connect({ socket: raw, rejectUnauthorized: false, checkServerIdentity: () => undefined, ...(servername === undefined ? {} : { servername }) });
    let body = '';
    secure.on('error', (error) => end(String(error.code)));
    secure.on('secureConnect', () => secure.write('GET / HTTP/1.1\\r\\n\\r\\n'));
    secure.on('data', (text) => { body += text; if (body.endsWith('hello')) end('hello'); });
    secure.on('end', () => end(body.endsWith('hello') ? 'hello' : 'end'));
  };
  socket.on('data', onHead);
  socket.write('CONNECT ${ALLOWED}:443 HTTP/1.1\\r\\nhost: ${ALLOWED}:443\\r\\n\\r\\n');
});
(async () => {
  const answers = [];
  for (const one of ${JSON.stringify(asked)}) answers.push(await ask(one));
  console.log(JSON.stringify(answers));
  process.exit(0);
})();`;
  const said = await nodeInside(container, script, 200_000);
  return z.array(z.string()).parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''));
}
