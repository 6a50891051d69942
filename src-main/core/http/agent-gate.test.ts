/** The agent port with a gateway in front of it: whose token opens it, and by which way. */
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { AGENT_HEADER, GATEWAY_HEADER } from '#shared/gateway/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { TestDoors } from './testing/open-doors.ts';
import { openDoors, TOKENS } from './testing/open-doors.ts';

const WORD = randomBytes(32).toString('hex');

const open: TestDoors[] = [];
afterEach(async () => {
  for (const doors of open.splice(0)) await doors.dispose();
});

/** Doors where agent a1 is in a container and a2 is not. */
async function opened(): Promise<{ doors: TestDoors; refused: () => { by: string; reason: string }[] }> {
  const doors = await openDoors({}, { gate: { word: WORD, isContained: (id) => id === 'a1' } });
  open.push(doors);
  const events: JournalEvent[] = [];
  doors.test.journal.onCommitted((batch) => events.push(...batch));
  return {
    doors,
    refused: () =>
      events.flatMap((event) =>
        event.kind === 'access.refused' ? [{ by: `${event.actor.kind} ${event.actor.id}`, reason: event.data.reason }] : [],
      ),
  };
}

interface Sent {
  readonly token: string;
  readonly word?: string | string[];
  readonly through?: string | string[];
}

function headersOf({ token, word, through }: Sent): Record<string, string | string[]> {
  return {
    authorization: `Bearer ${token}`,
    ...(word === undefined ? {} : { [GATEWAY_HEADER]: word }),
    ...(through === undefined ? {} : { [AGENT_HEADER]: through }),
  };
}

/** Calls the agent interface; fetch would put repeated headers into one. */
function call(doors: TestDoors, sent: Sent): Promise<{ status: number; text: string }> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      doors.info.agentMcpUrl,
      {
        method: 'POST',
        agent: false,
        headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headersOf(sent) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

function connects(doors: TestDoors, sent: Sent): Promise<number> {
  const socket = new WebSocket(doors.info.agentWsUrl, 'mcp', { headers: headersOf(sent) });
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.close();
      resolve(101);
    });
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', reject);
  });
}

describe('the agent port lets in', () => {
  it.each<[string, Sent]>([
    ['an agent in no box with its token', { token: TOKENS.otherAgent }],
    ['a contained agent through its own socket', { token: TOKENS.agent, word: WORD, through: 'a1' }],
  ])('%s', async (_what, sent) => {
    const { doors, refused } = await opened();
    expect((await call(doors, sent)).status).toBe(200);
    expect(await connects(doors, sent)).toBe(101);
    expect(refused()).toEqual([]);
  });
});

describe('the agent port refuses, and journals,', () => {
  it.each<[string, Sent, string, RegExp]>([
    [
      'the token of a contained agent that was carried out of its box',
      { token: TOKENS.agent },
      'agent a1',
      /"a1", which is contained, was used outside its box/,
    ],
    [
      'an agent that uses another’s token',
      { token: TOKENS.otherAgent, word: WORD, through: 'a1' },
      'agent a1',
      /"a1" used the token of agent "a2": impersonation/,
    ],
    [
      'an agent that uses the operator’s token',
      { token: TOKENS.operator, word: WORD, through: 'a1' },
      'agent a1',
      /"a1" used a token that is no agent's: impersonation/,
    ],
    [
      'who guesses the gateway’s word',
      { token: TOKENS.agent, word: 'f'.repeat(64), through: 'a1' },
      'system core',
      /claimed to come from the gateway and did not/,
    ],
    ['who names an agent and brings no word', { token: TOKENS.otherAgent, through: 'a2' }, 'system core', /claimed to come/],
    ['the word twice', { token: TOKENS.agent, word: [WORD, WORD], through: 'a1' }, 'system core', /claimed to come/],
    ['the word with two agents', { token: TOKENS.agent, word: WORD, through: ['a1', 'a2'] }, 'system core', /named no agent/],
    ['the word with no agent', { token: TOKENS.agent, word: WORD }, 'system core', /named no agent/],
  ])('%s', async (_what, sent, by, reason) => {
    const { doors, refused } = await opened();
    const answer = await call(doors, sent);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'FORBIDDEN', message: expect.stringMatching(reason) as unknown });
    expect(await connects(doors, sent)).toBe(403);
    // The same again within a second has no row of its own.
    expect(refused()).toEqual([{ by, reason: expect.stringMatching(reason) as unknown }]);
  });

  it('nothing of a token that opens nothing: it is not known', async () => {
    const { doors, refused } = await opened();
    expect((await call(doors, { token: 'made-up', word: WORD, through: 'a1' })).status).toBe(401);
    // Who is not the gateway learns not even that.
    expect((await call(doors, { token: 'made-up', word: 'wrong-word', through: 'a1' })).status).toBe(403);
    expect(refused()).toHaveLength(1);
  });

  it('who claims to be a gateway where there is none', async () => {
    const doors = await openDoors();
    open.push(doors);
    expect((await call(doors, { token: TOKENS.agent, word: WORD, through: 'a1' })).status).toBe(403);
    expect((await call(doors, { token: TOKENS.agent })).status).toBe(200);
  });
});
