/** A bare MCP client over a WebSocket: as little work as possible per call, so that the core is what is measured. */
import WebSocket from 'ws';
import * as z from 'zod';

const Answer = z.object({ id: z.number().optional(), result: z.unknown().optional(), error: z.unknown().optional() });
const ToolResult = z.object({ structuredContent: z.unknown(), isError: z.boolean().optional(), content: z.unknown() });

/** One connected agent. */
export class McpSocket {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(data.toString('utf8')));
    socket.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('the socket closed'));
    });
  }

  /** Connects and says hello. */
  static async open(url: string, token: string): Promise<McpSocket> {
    const socket = new WebSocket(url, 'mcp', { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const client = new McpSocket(socket);
    await client.#request('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'bench', version: '1' },
    });
    socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    return client;
  }

  /** Calls a tool and returns its structured result. */
  async call(name: string, input: Record<string, unknown>): Promise<unknown> {
    const result = ToolResult.parse(await this.#request('tools/call', { name, arguments: input }));
    if (result.isError === true) throw new Error(JSON.stringify(result.content));
    return result.structuredContent;
  }

  close(): void {
    this.#socket.close();
  }

  #request(method: string, params: unknown): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  #receive(text: string): void {
    const answer = Answer.parse(JSON.parse(text));
    const pending = answer.id === undefined ? undefined : this.#pending.get(answer.id);
    if (!pending || answer.id === undefined) return;
    this.#pending.delete(answer.id);
    if (answer.error === undefined) pending.resolve(answer.result);
    else pending.reject(new Error(JSON.stringify(answer.error)));
  }
}
