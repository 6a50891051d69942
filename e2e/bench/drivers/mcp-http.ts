/** A bare MCP client over Streamable HTTP, without a session: as little work as possible per call. */
import { Agent, request } from 'node:http';
import * as z from 'zod';

const Answer = z.object({ result: z.unknown().optional(), error: z.unknown().optional() });
const ToolResult = z.object({ structuredContent: z.unknown(), isError: z.boolean().optional(), content: z.unknown() });

/** One agent. Calls at the same time use a connection each, which is kept. */
export class McpHttp {
  readonly #url: string;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #nextId = 1;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Calls a tool and returns its structured result. */
  async call(name: string, input: Record<string, unknown>): Promise<unknown> {
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: this.#nextId++,
      method: 'tools/call',
      params: { name, arguments: input },
    });
    const answer = Answer.parse(JSON.parse(await this.#post(body)));
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
    const result = ToolResult.parse(answer.result);
    if (result.isError === true) throw new Error(JSON.stringify(result.content));
    return result.structuredContent;
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            authorization: `Bearer ${this.#token}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            accept: 'application/json, text/event-stream',
            'mcp-protocol-version': '2025-11-25',
          },
        },
        (response) => {
          let answer = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
          response.on('end', () => {
            if (response.statusCode !== 200) return reject(new Error(`HTTP ${response.statusCode}: ${answer}`));
            const isStream = response.headers['content-type']?.startsWith('text/event-stream') === true;
            resolve(isStream ? (/^data: ?(.+)$/m.exec(answer)?.[1] ?? '') : answer);
          });
          response.on('error', reject);
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  }
}
