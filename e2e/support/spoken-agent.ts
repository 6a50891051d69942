/** For specs: an agent whose process only stands there, and which the spec speaks for through the agent interface. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { McpSocket } from '#e2e/bench/drivers/mcp-socket.ts';
import { InboxMessage } from '#shared/messages/model.ts';
import type { TestCore } from './core.ts';
import { RestClient } from './rest-client.ts';

/** An agent has written down its token after at most this long, in milliseconds. */
const TOKEN_TIMEOUT_MS = 20_000;
const LOOK_EVERY_MS = 50;

const Sent = z.object({ messageId: z.string(), threadId: z.string() });
const Mail = z.object({ messages: z.array(InboxMessage) });

/** One agent that is spoken for. */
export class SpokenAgent {
  readonly id: string;
  readonly #socket: McpSocket;

  private constructor(id: string, socket: McpSocket) {
    this.id = id;
    this.#socket = socket;
  }

  /** Spawns the agent in `folder`, which becomes its project, and connects as it. */
  static async spawn(
    core: TestCore,
    folder: string,
    id: string,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<SpokenAgent> {
    const file = tokenFile(core, id);
    await new RestClient(core).ok('POST', '/agents', {
      ...more,
      id,
      type: 'command',
      projectFolder: folder,
      command: ['sh', '-c', `printf '%s\\n' "$QUARTERDECK_AGENT_TOKEN" > '${file}'; exec sleep 100000`],
    });
    const deadline = Date.now() + TOKEN_TIMEOUT_MS;
    while (!existsSync(file) || !readFileSync(file, 'utf8').endsWith('\n')) {
      if (Date.now() > deadline) throw new Error(`agent ${id} did not write its token`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return SpokenAgent.again(core, id);
  }

  /** Connects as an agent that was spawned before: after its core was started again. */
  static async again(core: TestCore, id: string): Promise<SpokenAgent> {
    return new SpokenAgent(id, await McpSocket.open(core.run.agentWsUrl, readFileSync(tokenFile(core, id), 'utf8').trim()));
  }

  /** Calls a tool, and answers with its structured result. What the tool says went wrong is thrown. */
  call(tool: string, input: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.#socket.call(tool, input);
  }

  /** Sends a message as the agent, and answers with its id. */
  async send(to: string | readonly string[], body: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return Sent.parse(await this.#socket.call('send_message', { to, body, ...more })).messageId;
  }

  /** Takes what was never handed out; acknowledges nothing. */
  async take(timeoutMs = 0): Promise<z.infer<typeof InboxMessage>[]> {
    return Mail.parse(await this.#socket.call('wait_for_messages', { timeoutMs, limit: 200 })).messages;
  }

  /** Says that it has dealt with messages. */
  async acknowledge(messageIds: readonly string[]): Promise<void> {
    await this.#socket.call('mark_messages_read', { messageIds });
  }

  close(): void {
    this.#socket.close();
  }
}

/** Where the process of an agent writes down its token. */
function tokenFile(core: TestCore, id: string): string {
  return join(core.dataDir, `token-${id}`);
}
