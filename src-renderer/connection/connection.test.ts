import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeCore } from '#e2e/support/fake-core/fake-core.ts';
import { sampleAgent, sampleEvent } from '#renderer/testing/sample-events.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { CrewState } from '#shared/state.ts';
import { applyEvent, EMPTY_STATE } from '#shared/state.ts';
import type { ConnectionStatus } from './connection.ts';
import { Connection } from './connection.ts';
import { TerminalLink } from './terminal-link.ts';
import { webTransport } from './web-transport.ts';

const QUICK = { firstMs: 5, maxMs: 20, jitter: 0 };

/** An event that adds one more agent. */
function next(seq: number): JournalEvent {
  return sampleEvent(seq, 'agent.created', `a${seq}`, { agent: sampleAgent(`a${seq}`) });
}

describe('Connection over a real WebSocket', () => {
  let core: FakeCore;
  let url: string;
  let connection: Connection;
  let running: Promise<void>;
  let statuses: ConnectionStatus['kind'][];
  let seen: number[];
  let state: CrewState;

  beforeEach(async () => {
    core = new FakeCore();
    url = await core.listen();
    statuses = [];
    seen = [];
    state = EMPTY_STATE;
    connection = new Connection({
      transport: webTransport(url),
      backoff: QUICK,
      onStatus: (status) => statuses.push(status.kind),
      crew: {
        onSnapshot: (snapshot) => {
          state = snapshot;
        },
        onEvents: (events, after) => {
          seen.push(...events.map((event) => event.seq));
          state = after;
        },
        onDeliveries: () => undefined,
        onFollowing: () => undefined,
      },
    });
  });

  afterEach(async () => {
    connection.dispose();
    await running;
    await core.close();
  });

  const caughtUp = (): Promise<void> => vi.waitFor(() => expect(state.seq).toBe(core.journal.length), { timeout: 5_000 });

  it('follows, says when the line is lost, and resumes with the tail', async () => {
    core.push(next(1), next(2));
    running = connection.run();
    await vi.waitFor(() => expect(statuses).toEqual(['online']));
    core.push(next(3));
    await caughtUp();
    core.cut();
    core.push(next(4), next(5));
    await caughtUp();
    expect(statuses).toEqual(['online', 'offline', 'online']);
    expect(core.snapshots).toBe(1);
    expect(seen).toEqual([3, 4, 5]);
    expect(state).toEqual(core.journal.reduce(applyEvent, EMPTY_STATE));
  });

  it('takes a new snapshot when its place in the journal is gone', async () => {
    core.push(next(1));
    running = connection.run();
    await caughtUp();
    await vi.waitFor(() => expect(statuses).toEqual(['online']));
    core.keptFrom = 2;
    core.cut();
    core.push(next(2), next(3));
    await caughtUp();
    expect(core.snapshots).toBe(2);
  });

  it('waits for a login instead of trying for ever', async () => {
    core.isLoggedIn = false;
    running = connection.run();
    await vi.waitFor(() => expect(statuses).toEqual(['signed-out']));
    expect(() => connection.client).toThrow(/not reachable/);
    core.isLoggedIn = true;
    connection.retry();
    await vi.waitFor(() => expect(statuses).toEqual(['signed-out', 'connecting', 'online']));
  });

  it('keeps trying while the core is away', async () => {
    await core.close();
    const port = Number(new URL(url).port);
    running = connection.run();
    await vi.waitFor(() => expect(statuses).toEqual(['offline']));
    core = new FakeCore();
    await core.listen(port);
    await vi.waitFor(() => expect(statuses).toEqual(['offline', 'online']), { timeout: 5_000 });
  });

  it('brings a terminal back with its screen and the control that it had', async () => {
    running = connection.run();
    const link = new TerminalLink(webTransport(url), { backoff: QUICK });
    const heard: string[] = [];
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    const view = link.open(
      { agentId: AgentId.parse('ada'), cols: 80, rows: 24 },
      {
        onOpened: () => undefined,
        onBytes: (bytes) => heard.push(text(bytes)),
        onControl: ({ holder }) => heard.push(holder ? 'control' : 'no control'),
        onResized: () => undefined,
        onRefused: () => undefined,
        onEnd: () => heard.push('end'),
        onLost: () => heard.push('lost'),
      },
    );
    await vi.waitFor(() => expect(heard).toEqual(['no control', 'hello from ada']));
    view.take();
    view.input('hi');
    await vi.waitFor(() => expect(heard.slice(2)).toEqual(['control', 'hi']));
    core.cut();
    await vi.waitFor(() => expect(heard.slice(4)).toEqual(['lost', 'control', 'hello from ada']));
    link.dispose();
  });
});
