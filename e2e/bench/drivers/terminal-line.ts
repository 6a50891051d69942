/** A client of the terminal link, over the same WebSocket as a window's. */
import WebSocket from 'ws';
import { TerminalClient } from '#core/terminals/testing/terminal-client.ts';
import type { TestCore } from '#e2e/support/core.ts';

/** A client, and the times at which frames came. */
export interface TerminalLine {
  readonly client: TerminalClient;
  /** Resolves with the moment (`performance.now()`) at which the next frame of `type` came on `channel`. */
  readonly next: (type: number, channel: number) => Promise<number>;
}

/** Connects. */
export async function openLine(core: TestCore): Promise<TerminalLine> {
  const socket = new WebSocket(`${core.run.url.replace('http', 'ws')}terminals`, {
    headers: { authorization: `Bearer ${core.token}` },
    perMessageDeflate: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const waiting = new Map<string, (at: number) => void>();
  const client = new TerminalClient({
    send: (bytes) => socket.send(bytes),
    onMessage: (listener) =>
      socket.on('message', (data: Buffer) => {
        const key = `${data.readUInt8(0)} ${data.readUInt32BE(1)}`;
        waiting.get(key)?.(performance.now());
        waiting.delete(key);
        listener(data);
      }),
    onClose: (listener) => socket.on('close', listener),
    close: () => socket.close(),
  });
  return { client, next: (type, channel) => new Promise((resolve) => waiting.set(`${type} ${channel}`, resolve)) };
}
