/** For specs of the shell: a crew that asks, fails and is ordered about, over the REST door of the core in the app. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import * as z from 'zod';
import { terminalText } from '#e2e/support/window.ts';
import { Agent } from '#shared/agents/model.ts';
import { InboxMessage } from '#shared/messages/model.ts';
import { RunInfo } from '#shared/system/model.ts';

/** What specs do with the crew. */
export interface ShellCrew {
  /** Starts an agent that asks the operator a question and stays. */
  ask(id: string, question: string): Promise<void>;
  /** Starts an agent that fails at once. */
  fail(id: string): Promise<void>;
  start(id: string): Promise<void>;
  /** Answers every question in the operator's inbox, and acknowledges them. */
  answerAll(): Promise<void>;
  /** Puts every failure aside. */
  dismissAll(): Promise<void>;
  /** Changes settings. */
  settings(changes: object): Promise<void>;
  statusOf(id: string): Promise<string>;
  startsOf(id: string): Promise<number>;
  pidOf(id: string): Promise<number>;
  /** How many follow the journal, by the core's own count. */
  followers(): Promise<number>;
  /** The text of the terminal that a page shows. */
  terminalOf(page: Page): Promise<string>;
}

/** The crew of the core that runs on `dataDir`. */
export function crewOf(dataDir: string): ShellCrew {
  const folder = join(dataDir, 'spec-project');
  mkdirSync(folder, { recursive: true });
  const { apiUrl } = RunInfo.parse(JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')));
  const token = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();

  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${apiUrl}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };
  const spawn = async (id: string, args: readonly string[]): Promise<void> => {
    const program = [process.execPath, join(import.meta.dirname, 'fixture-asking-agent.ts'), ...args];
    await call('POST', '/agents', { id, type: 'command', command: program, projectFolder: folder });
  };
  const agent = async (id: string): Promise<z.infer<typeof Agent>> => Agent.parse(await call('GET', `/agents/${id}`));
  const settings = async (changes: object): Promise<void> => {
    await call('PATCH', '/settings', changes);
  };

  return {
    ask: (id, question) => spawn(id, [question]),
    fail: (id) => spawn(id, []),
    start: async (id) => {
      await call('POST', `/agents/${id}/start`, {});
    },
    answerAll: async () => {
      const { messages } = z.object({ messages: z.array(InboxMessage) }).parse(await call('GET', '/inbox'));
      for (const { id, from } of messages)
        await call('POST', '/messages', { to: from.id, kind: 'reply', inReplyTo: id, body: 'main, because' });
      await call('POST', '/inbox:read', { messageIds: messages.map(({ id }) => id) });
    },
    dismissAll: async () => {
      const { agents } = z.object({ agents: z.array(Agent) }).parse(await call('GET', '/agents'));
      await settings({ dismissed: agents.map(({ id, state }) => `${state.status}:${id}:${state.since}`) });
    },
    settings,
    statusOf: async (id) => (await agent(id)).state.status,
    startsOf: async (id) => (await agent(id)).starts,
    pidOf: async (id) => z.number().parse((await agent(id)).run?.pid),
    followers: async () => z.object({ followers: z.number() }).parse(await call('GET', '/system/stats')).followers,
    terminalOf: terminalText,
  };
}
