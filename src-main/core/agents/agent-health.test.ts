import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askHealth } from './agent-health.ts';

const PATIENCE_MS = 20_000;
let dir: string;
let socket: string;
const closing: (() => Promise<void>)[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-h-'));
  socket = join(dir, 'health.sock');
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(dir, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return server;
}

async function problem(timeoutMs = PATIENCE_MS): Promise<string> {
  const answer = await askHealth(socket, timeoutMs);
  expect(answer.responseMs).toBeGreaterThanOrEqual(0);
  return answer.isAnswered ? `answered ${JSON.stringify(answer.report)}` : answer.problem;
}

describe("an agent's health endpoint", () => {
  it('is asked for /health and answers with an object', async () => {
    await serve((request, response) => response.end(JSON.stringify({ status: 'ok', path: request.url, method: request.method })));
    expect(await askHealth(socket, PATIENCE_MS)).toMatchObject({
      isAnswered: true,
      report: { status: 'ok', path: '/health', method: 'GET' },
    });
  });

  it.each([
    ['text', 'all fine'],
    ['nothing', ''],
    ['half an object', '{"status": "o'],
    ['a list', '[1, 2]'],
    ['null', 'null'],
    ['binary', Buffer.from([0xff, 0x00, 0xc3])],
  ])('that answers %s is said to do so', async (_what, body) => {
    await serve((_request, response) => response.end(body));
    expect(await problem()).toMatch(/^answered something that is not a JSON object: ./);
  });

  it('that is absent is said to be so', async () => {
    expect(await problem()).toContain('ENOENT');
    const server = await serve(() => undefined);
    server.close();
    expect(await problem()).toMatch(/ENOENT|ECONNREFUSED/);
  });

  it('that is a link to another socket is not followed, and nobody behind it is asked', async () => {
    let asked = 0;
    await serve((_request, response) => {
      asked += 1;
      response.end('{"status": "ok"}');
    });
    const real = socket;
    for (const [name, target] of [
      ['link.sock', real],
      ['relative.sock', 'health.sock'],
      ['folder.sock', dir],
    ] as const) {
      socket = join(dir, name);
      symlinkSync(target, socket);
      expect(await problem()).toMatch(/is not a socket$/);
    }
    socket = join(dir, 'file.sock');
    writeFileSync(socket, '{"status": "ok"}');
    expect(await problem()).toMatch(/is not a socket$/);
    expect(asked).toBe(0);
    expect(await askHealth(real, PATIENCE_MS)).toMatchObject({ isAnswered: true });
  });

  it('leaves no file open', async () => {
    await serve((_request, response) => response.end('{}'));
    const before = readdirSync('/proc/self/fd').length;
    for (let n = 0; n < 5; n += 1) {
      expect(await askHealth(socket, PATIENCE_MS)).toMatchObject({ isAnswered: true });
      await askHealth(dir, PATIENCE_MS);
    }
    await vi.waitFor(() => expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 5));
  });

  it('that never stops answering is cut off', async () => {
    await serve((_request, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        if (!response.destroyed) response.once('drain', write);
      };
      response.on('error', () => undefined);
      write();
    });
    expect(await problem()).toMatch(/more than 65536 bytes/);
  });

  it('that never answers, or drips, is given up on in time', async () => {
    const server = await serve(() => undefined);
    expect(await problem(200)).toBe('no answer within 200 ms');
    server.removeAllListeners('request');
    server.on('request', (_request, response) => {
      response.write('{');
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(timer));
    });
    expect(await problem(300)).toBe('no answer within 300 ms');
  });

  it('that hangs up in the middle, or does not speak HTTP, is said to', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"status"');
      setImmediate(() => response.destroy());
    });
    expect(await problem()).not.toContain('answered {');
    server.removeAllListeners('request');
    socket = join(dir, 'odd.sock');
    const odd = createSocketServer((connection) => connection.resume().end('SSH-2.0-odd\r\n'));
    await new Promise<void>((resolve) => odd.listen(socket, resolve));
    closing.push(() => new Promise((resolve) => odd.close(() => resolve())));
    expect(await problem()).not.toBe('');
  });
});
