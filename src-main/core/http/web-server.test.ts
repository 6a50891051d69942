import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { TestDoors } from './testing/open-doors.ts';
import { TOKENS, openDoors } from './testing/open-doors.ts';

let open: TestDoors | undefined;
afterEach(async () => {
  await open?.dispose();
  open = undefined;
});

/** Status of the answer to a GET with exactly these headers, in this order. */
async function status(url: string, path: string, headers: readonly (readonly [string, string])[]): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, agent: false, headers: headers.flat() }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    // Where an offer is taken up after all.
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a header that says who calls', () => {
  it('may come only once', async () => {
    open = await openDoors({ agents: { list: async () => Promise.resolve({ agents: [], total: 0 }) } });
    const { url } = open.info;
    const host = ['Host', new URL(url).host] as const;
    const token = ['Authorization', `Bearer ${TOKENS.operator}`] as const;
    expect(await status(url, '/api/v1/agents', [host, token])).toBe(200);
    for (const other of [
      ['host', 'evil.example'],
      ['HOST', host[1]],
      ['authorization', 'Bearer x'],
      ['Origin', `http://${host[1]}`],
    ] as const) {
      const twice = other[0] === 'Origin' ? [other, other] : [other];
      expect([other, await status(url, '/api/v1/agents', [host, token, ...twice])]).toEqual([other, 400]);
    }
  });
});

describe('an offer of another protocol', () => {
  it('that is not taken up is an ordinary request, as Java and curl --http2 send it', async () => {
    open = await openDoors({ agents: { list: async () => Promise.resolve({ agents: [], total: 0 }) } });
    const { url } = open.info;
    const headers = [
      ['Host', new URL(url).host],
      ['Authorization', `Bearer ${TOKENS.operator}`],
      ['Connection', 'Upgrade, HTTP2-Settings'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
    ] as const;
    expect(await status(url, '/api/v1/agents', headers)).toBe(200);
    expect(await status(url, '/rpc', headers)).toBe(426);
    expect(
      await status(
        url,
        '/api/v1/agents',
        headers.filter(([name]) => name !== 'Authorization'),
      ),
    ).toBe(401);
  });
});

describe('a body that is nested too deep', () => {
  it('is refused as such on every path, and no bug', async () => {
    open = await openDoors();
    const { mcpUrl, apiUrl } = open.info;
    const headers = {
      authorization: `Bearer ${TOKENS.operator}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send_message","arguments":{"data":${deep}}}}`;
    for (const [path, body] of [
      [mcpUrl, call],
      [`${apiUrl}/v1/messages`, `{"data":${deep}}`],
      [`${apiUrl}/agents/a/messages`, `{"a":${deep}}`],
    ] as const) {
      const answer = await fetch(path, { method: 'POST', headers, body });
      expect([path, answer.status, (await answer.text()).includes('levels deep')]).toEqual([path, 400, true]);
    }
    // Brackets in texts are none.
    const text = `{"to":"a","body":"${'['.repeat(1000)}\\"{"}`;
    const answer = await fetch(`${apiUrl}/v1/messages`, { method: 'POST', headers, body: text });
    expect(answer.status).toBe(404);
    expect(open.bugs).toEqual([]);
  });
});
