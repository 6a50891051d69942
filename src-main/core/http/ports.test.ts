/** Ports that are taken, and who holds them. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { holderOf, listenFrom, listenOn, requireLoopback } from './ports.ts';

const HOST = '127.0.0.1';
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

function server(): Server {
  const made = createServer();
  servers.push(made);
  return made;
}

describe('a port that is taken', () => {
  it('is given up for the next free one, or named with its holder', async () => {
    const taken = await listenOn(server(), HOST, 0, 'a test');
    const next = await listenFrom(server(), HOST, taken, 'a test');
    expect(next).toBeGreaterThan(taken);
    await expect(listenOn(server(), HOST, taken, 'the agent port')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: matching(new RegExp(`^Port ${taken} \\(the agent port\\) is taken by`)),
    });
    // Only Linux tells who holds a port.
    expect((await holderOf(taken)) ?? `(pid ${process.pid})`).toContain(`(pid ${process.pid})`);
  });

  it('has no holder when nobody listens', async () => {
    const closed = server();
    const port = await listenOn(closed, HOST, 0, 'a test');
    await new Promise((resolve) => closed.close(resolve));
    servers.splice(servers.indexOf(closed), 1);
    expect(await holderOf(port)).toBeUndefined();
  });
});

it('does not listen where others could reach it', () => {
  for (const host of ['127.0.0.1', '::1', 'localhost']) requireLoopback(host);
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.org', ''])
    expect(() => requireLoopback(host)).toThrow(/without TLS/);
});

/** vitest's own matcher is of type any. */
function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}
