/**
 * Redis from the machine's packages as the peer of P1: streams with `appendfsync always`, which is what "nothing acknowledged
 * is lost" costs there. Started in a folder of its own, on a Unix socket, without a network port.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';

/** How long it may take to answer, in milliseconds. */
const READY_TIMEOUT_MS = 20_000;

/** A running Redis. */
export interface RedisServer {
  readonly socketPath: string;
  stop(): Promise<void>;
}

/** Whether this machine has Redis. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts Redis with an append-only file that is synced with every write. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'qd-redis-'));
  const socketPath = join(folder, 'redis.sock');
  const server = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', socketPath, '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
    { stdio: 'ignore' },
  );
  const stop = async (): Promise<void> => {
    await ended(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(socketPath, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { socketPath, stop };
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await exit;
}

async function answers(socketPath: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const client = createClient({ socket: { path: socketPath, tls: false, reconnectStrategy: false } });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.ping();
      await client.close();
      return;
    } catch (error) {
      client.destroy();
      if (server.exitCode !== null || Date.now() > deadline) throw new Error('redis-server did not answer', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
