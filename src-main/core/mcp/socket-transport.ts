/** MCP over a WebSocket (subprotocol `mcp`): one JSON-RPC message per text frame. Not in the specification; Claude Code and the SDKs speak it. */
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import type { WebSocket } from 'ws';
import { asMessage, invalidMessage, parseError } from './json-rpc.ts';

/** The transport of one socket. */
export class SocketTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  async start(): Promise<void> {
    this.#socket.on('message', (data: Buffer) => this.#receive(data.toString('utf8')));
    this.#socket.on('close', () => this.onclose?.());
    this.#socket.on('error', (error) => this.onerror?.(error));
  }

  /** Resolves when the frame is handed to the system: a slow reader slows the sender. */
  async send(message: JSONRPCMessage): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    this.#socket.close(1000);
  }

  #receive(text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.#socket.send(JSON.stringify(parseError('the frame is not JSON')));
      return;
    }
    const message = asMessage(value);
    if (message === undefined)
      this.#socket.send(JSON.stringify(invalidMessage(value) ?? parseError('batches are not accepted on a WebSocket')));
    else this.onmessage?.(message);
  }
}
