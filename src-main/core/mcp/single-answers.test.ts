/** Tool calls over HTTP outside of a session, over real doors. */
import { afterEach, describe, expect, it } from 'vitest';
import { bearer, openDoors, TOKENS } from '#core/http/testing/open-doors.ts';
import type { TestDoors } from '#core/http/testing/open-doors.ts';

let doors: TestDoors;
afterEach(async () => {
  expect(doors.bugs).toEqual([]);
  await doors.dispose();
});

const BOTH = 'application/json, text/event-stream';

function post(message: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  return fetch(doors.info.agentMcpUrl, {
    method: 'POST',
    body: JSON.stringify(message),
    headers: { ...bearer(TOKENS.agent), 'content-type': 'application/json', accept: BOTH, ...headers },
    ...(signal && { signal }),
  });
}

function call(id: number | string, name: string, params: object = {}): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, ...params } };
}

describe('a call outside of a session', () => {
  it('is answered in one piece of JSON, whatever revision its client had agreed on', async () => {
    doors = await openDoors({ messages: { wait: async () => ({ messages: [], unread: 3 }) } });
    const revisions: Record<string, string>[] = [
      {},
      { 'mcp-protocol-version': '2025-11-25' },
      { 'mcp-protocol-version': '2024-11-05' },
    ];
    for (const headers of revisions) {
      const answer = await post(call('seven', 'wait_for_messages', { _meta: { progressToken: 1 } }), headers);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(await answer.json()).toMatchObject({
        jsonrpc: '2.0',
        id: 'seven',
        result: { structuredContent: { messages: [], unread: 3 } },
      });
    }
  });

  it('that fails is a result, and one of a tool that there is not an error', async () => {
    doors = await openDoors();
    expect(await (await post(call(1, 'wait_for_messages'))).json()).toMatchObject({ id: 1, result: { isError: true } });
    expect(await (await post(call(2, 'no_such_tool'))).json()).toMatchObject({ id: 2, error: { code: -32602 } });
    expect(await (await post({ ...call(3, ''), params: { name: 5 } })).json()).toMatchObject({ id: 3, error: { code: -32602 } });
  });

  it('ends when its caller goes away', async () => {
    let [begun, ended] = [0, 0];
    doors = await openDoors({
      messages: {
        wait: async (_input, { signal }) =>
          await new Promise((_resolve, reject) => {
            begun += 1;
            signal.addEventListener('abort', () => {
              ended += 1;
              reject(new Error('aborted'));
            });
          }),
      },
    });
    const stop = new AbortController();
    const waiting = post(call(1, 'wait_for_messages'), {}, stop.signal);
    waiting.catch(() => undefined);
    await expect.poll(() => begun, { timeout: 30_000 }).toBe(1);
    stop.abort();
    await expect.poll(() => ended, { timeout: 30_000 }).toBe(1);
    await expect.poll(() => doors.doors.counts().calls, { timeout: 30_000 }).toBe(0);
  });

  it('is judged by the SDK when it says that it is of another protocol, or takes no streams', async () => {
    doors = await openDoors({ messages: { wait: async () => ({ messages: [], unread: 3 }) } });
    expect((await post(call(1, 'wait_for_messages'), { accept: 'application/json' })).status).toBe(406);
    expect((await post(call(2, 'wait_for_messages'), { 'mcp-protocol-version': '1999-01-01' })).status).toBe(400);
    const later = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };
    const answer = await post(call(3, 'wait_for_messages', later), { 'mcp-protocol-version': '2025-11-25' });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('"id":3')]);
  });
});
