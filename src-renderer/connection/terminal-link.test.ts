import { describe, expect, it, vi } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Frame } from '#shared/terminals/frames.ts';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  decodeAck,
  decodeFrame,
  encodeFrame,
  MAX_FRAME_BYTES,
  ServerFrame,
} from '#shared/terminals/frames.ts';
import type { BytePipe, Transport } from './line.ts';
import { ConnectError } from './line.ts';
import { TerminalLink } from './terminal-link.ts';
import type { ViewListener } from './terminal-view.ts';

const QUICK = { firstMs: 1, maxMs: 1, jitter: 0 };
const open = { agentId: AgentId.parse('ada'), cols: 80, rows: 24 };

/** A core whose pipes are kept, with what was sent on each. */
class FakeCore implements Transport {
  readonly pipes: { pipe: BytePipe; sent: Frame[] }[] = [];
  refusals = 0;

  openLine(): Promise<never> {
    return Promise.reject(new ConnectError('unreachable', 'not here'));
  }

  openTerminals(): Promise<BytePipe> {
    if (this.refusals > 0) {
      this.refusals -= 1;
      return Promise.reject(new ConnectError('unreachable', 'not yet'));
    }
    const sent: Frame[] = [];
    const pipe: BytePipe = {
      send: (bytes) => {
        const frame = decodeFrame(bytes);
        if (frame) sent.push(frame);
      },
      onBytes: () => undefined,
      onGone: () => undefined,
      close: () => undefined,
    };
    this.pipes.push({ pipe, sent });
    return Promise.resolve(pipe);
  }

  /** The pipe opened as number `index`, once it is there. */
  async pipe(index: number): Promise<{ pipe: BytePipe; sent: Frame[] }> {
    return vi.waitFor(() => {
      const found = this.pipes[index];
      if (!found || found.sent.length === 0) throw new Error('no such pipe yet');
      return found;
    });
  }
}

function listener(): ViewListener & { calls: string[]; drawn: (() => void)[] } {
  const calls: string[] = [];
  const drawn: (() => void)[] = [];
  return {
    calls,
    drawn,
    onOpened: ({ cols, rows }) => calls.push(`opened ${cols}x${rows}`),
    onBytes: (bytes, done) => {
      calls.push(`bytes ${bytes.length}`);
      drawn.push(done);
    },
    onControl: ({ holder, viewers }) =>
      calls.push(`control ${holder ? (holder.isYou ? 'you' : holder.name) : 'nobody'} of ${viewers}`),
    onResized: ({ cols, rows }) => calls.push(`resized ${cols}x${rows}`),
    onRefused: ({ message }) => calls.push(`refused: ${message}`),
    onEnd: ({ message }) => calls.push(`ended: ${message}`),
    onLost: () => calls.push('lost'),
  };
}

function json(frame: Frame | undefined): unknown {
  return JSON.parse(new TextDecoder().decode(frame?.payload));
}

function acks(sent: readonly Frame[]): number[] {
  return sent.filter((frame) => frame.type === ClientFrame.ack).map((frame) => decodeAck(frame.payload));
}

function push(pipe: BytePipe, type: number, channel: number, payload: Uint8Array | object): void {
  const bytes = payload instanceof Uint8Array ? payload : new TextEncoder().encode(JSON.stringify(payload));
  pipe.onBytes(encodeFrame(type, channel, bytes));
}

describe('TerminalLink', () => {
  it('opens a view, passes frames on, and sends what is typed and the new size', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const heard = listener();
    const view = link.open(open, heard);
    const { pipe, sent } = await core.pipe(0);
    push(pipe, ServerFrame.opened, 1, { cols: 80, rows: 24, window: 'main' });
    push(pipe, ServerFrame.screen, 1, new Uint8Array(7));
    push(pipe, ServerFrame.resized, 1, { cols: 60, rows: 20 });
    push(pipe, ServerFrame.data, 1, new Uint8Array(3));
    push(pipe, ServerFrame.data, 9, new Uint8Array(3));
    expect(heard.calls).toEqual(['opened 80x24', 'bytes 7', 'resized 60x20', 'bytes 3']);
    view.input('ls\r');
    view.resize({ cols: 100, rows: 30 });
    view.close();
    expect(sent.map((frame) => frame.type)).toEqual([ClientFrame.open, ClientFrame.input, ClientFrame.resize, ClientFrame.close]);
    expect(json(sent[0])).toEqual({ ...open, tier: 'live' });
    expect(json(sent[2])).toEqual({ cols: 100, rows: 30 });
    link.dispose();
  });

  it('acknowledges when nothing is pending, and after ACK_EVERY_BYTES at the latest', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const heard = listener();
    link.open(open, heard);
    const { pipe, sent } = await core.pipe(0);
    const half = new Uint8Array(ACK_EVERY_BYTES / 2);
    for (let i = 0; i < 4; i += 1) push(pipe, ServerFrame.data, 1, half);
    heard.drawn[0]?.();
    heard.drawn[0]?.();
    expect(acks(sent)).toEqual([]);
    heard.drawn[1]?.();
    expect(acks(sent)).toEqual([ACK_EVERY_BYTES]);
    heard.drawn[2]?.();
    heard.drawn[3]?.();
    expect(acks(sent)).toEqual([ACK_EVERY_BYTES, ACK_EVERY_BYTES]);
    push(pipe, ServerFrame.data, 1, new Uint8Array(1));
    heard.drawn[4]?.();
    expect(acks(sent)).toEqual([ACK_EVERY_BYTES, ACK_EVERY_BYTES, 1]);
    link.dispose();
  });

  it('opens every view again when the pipe is back, at its newest size, and forgets bytes of the lost one', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const heard = listener();
    const view = link.open(open, heard);
    link.open({ ...open, agentId: AgentId.parse('ben') }, listener());
    const first = await core.pipe(0);
    push(first.pipe, ServerFrame.data, 1, new Uint8Array(5));
    view.resize({ cols: 90, rows: 20 });
    core.refusals = 2;
    first.pipe.onGone();
    expect(heard.calls).toEqual(['bytes 5', 'lost']);
    const second = await core.pipe(1);
    expect(second.sent.map(json)).toEqual([
      { ...open, cols: 90, rows: 20, tier: 'live' },
      { ...open, agentId: 'ben', tier: 'live' },
    ]);
    heard.drawn[0]?.();
    expect(acks(second.sent)).toEqual([]);
    push(second.pipe, ServerFrame.screen, 1, new Uint8Array(8));
    heard.drawn[1]?.();
    expect(acks(second.sent)).toEqual([8]);
    link.dispose();
  });

  it('gives up a pipe that is older than the loss of the line, and keeps a newer one', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const heard = listener();
    link.open(open, heard);
    const first = await core.pipe(0);
    link.retry();
    link.retry(Date.now() - 60_000);
    expect(heard.calls).toEqual([]);
    link.retry(Date.now() + 1);
    expect(heard.calls).toEqual(['lost']);
    const second = await core.pipe(1);
    push(first.pipe, ServerFrame.data, 1, new Uint8Array(5));
    push(second.pipe, ServerFrame.data, 1, new Uint8Array(7));
    expect(heard.calls).toEqual(['lost', 'bytes 7']);
    link.dispose();
  });

  it('tells why a view ended, and does not open it again', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const heard = listener();
    const view = link.open(open, heard);
    const { pipe, sent } = await core.pipe(0);
    push(pipe, ServerFrame.failed, 1, { code: 'NOT_FOUND', message: 'It has no terminal.' });
    view.input('x');
    view.close();
    expect(heard.calls).toEqual(['ended: It has no terminal.']);
    expect(sent).toHaveLength(1);
    link.dispose();
  });

  it('tells a refusal on a standing view apart from its end', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const heard = listener();
    link.open(open, heard);
    const { pipe } = await core.pipe(0);
    push(pipe, ServerFrame.opened, 1, { cols: 80, rows: 24, window: 'main' });
    push(pipe, ServerFrame.failed, 1, { code: 'FORBIDDEN', message: 'You may only watch.' });
    push(pipe, ServerFrame.data, 1, new Uint8Array(2));
    push(pipe, ServerFrame.ended, 1, { code: 'EXITED', message: 'It exited with 0.' });
    push(pipe, ServerFrame.data, 1, new Uint8Array(2));
    expect(heard.calls).toEqual(['opened 80x24', 'refused: You may only watch.', 'bytes 2', 'ended: It exited with 0.']);
    link.dispose();
  });

  it('cuts a paste into frames that are allowed', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const view = link.open(open, listener());
    const { sent } = await core.pipe(0);
    view.input('x'.repeat(MAX_FRAME_BYTES + 10));
    expect(sent.slice(1).map((frame) => frame.payload.length)).toEqual([MAX_FRAME_BYTES, 10]);
    link.dispose();
  });

  it('takes and gives back control, tells of it, and wants it back on the next pipe', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const heard = listener();
    const view = link.open(open, heard);
    const first = await core.pipe(0);
    const control = (isYou: boolean) => ({ holder: { name: 'ben', door: 'web', isYou, since: 1 }, viewers: 2 });
    push(first.pipe, ServerFrame.opened, 1, { cols: 80, rows: 24, window: 'main' });
    push(first.pipe, ServerFrame.control, 1, control(false));
    view.take();
    view.take(true);
    push(first.pipe, ServerFrame.control, 1, control(true));
    push(first.pipe, ServerFrame.control, 1, { holder: 'nonsense' });
    expect(first.sent.slice(1).map((frame) => [frame.type, json(frame)])).toEqual([
      [ClientFrame.take, { force: false }],
      [ClientFrame.take, { force: true }],
    ]);
    expect(heard.calls).toEqual(['opened 80x24', 'control ben of 2', 'control you of 2']);
    first.pipe.onGone();
    const second = await core.pipe(1);
    expect(json(second.sent[0])).toMatchObject({ control: 'take' });
    view.release();
    expect(second.sent.at(-1)?.type).toBe(ClientFrame.release);
    second.pipe.onGone();
    expect(json((await core.pipe(2)).sent[0])).toMatchObject({ control: 'watch' });
    link.dispose();
  });

  it('hands over history and its screen as one piece, acknowledges the slices at once, and forgets those without an end', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    const pieces: string[] = [];
    const drawn: (() => void)[] = [];
    let histories = 0;
    const view = link.open(open, {
      ...listener(),
      onBytes: (bytes, done) => {
        pieces.push(new TextDecoder().decode(bytes));
        drawn.push(done);
      },
    });
    const { pipe, sent } = await core.pipe(0);
    const text = (word: string) => new TextEncoder().encode(word);
    push(pipe, ServerFrame.screen, 1, text('first'));
    drawn[0]?.();
    view.history(500, () => (histories += 1));
    expect(json(sent.find((frame) => frame.type === ClientFrame.history))).toEqual({ lines: 500 });
    push(pipe, ServerFrame.scrollback, 1, { lines: 9 });
    push(pipe, ServerFrame.history, 1, text('void'));
    push(pipe, ServerFrame.scrollback, 1, { lines: 2 });
    push(pipe, ServerFrame.history, 1, text('one,'));
    push(pipe, ServerFrame.history, 1, text('two,'));
    expect(acks(sent)).toEqual([5, 4, 4, 4]);
    push(pipe, ServerFrame.screen, 1, text('below'));
    push(pipe, ServerFrame.data, 1, text('after'));
    expect(pieces).toHaveLength(3);
    expect(pieces[1]?.startsWith('\u001b[?2026h')).toBe(true);
    expect(pieces[1]?.endsWith('\u001b[3Jone,two,below\u001b[?2026l')).toBe(true);
    expect(pieces[2]).toBe('after');
    expect(histories).toBe(0);
    drawn[1]?.();
    drawn[2]?.();
    expect(histories).toBe(1);
    expect(acks(sent)).toEqual([5, 4, 4, 4, 10]);
    link.dispose();
  });

  it('acknowledges a tile once the page was painted, and tells its end', async () => {
    const core = new FakeCore();
    const paints: (() => void)[] = [];
    const link = new TerminalLink(core, { backoff: QUICK, afterPaint: (callback) => paints.push(callback) });
    const heard: string[] = [];
    const tile = link.openTile(
      { agentId: open.agentId, rows: 6 },
      {
        onTile: ({ rows }) => heard.push(rows.map((row) => row.map(([text]) => text).join('')).join('|')),
        onEnd: ({ code }) => heard.push(code),
      },
    );
    const { pipe, sent } = await core.pipe(0);
    expect(json(sent[0])).toEqual({ agentId: 'ada', window: 'main', rows: 6, cols: 80, tier: 'tile' });
    push(pipe, ServerFrame.opened, 1, { cols: 80, rows: 24, window: 'main' });
    push(pipe, ServerFrame.tile, 1, { rows: [[['a'], ['b', { fg: 1 }]], [['c']]], cols: 80, cursor: null });
    expect(heard).toEqual(['ab|c']);
    expect(acks(sent)).toEqual([]);
    paints[0]?.();
    expect(acks(sent)).toHaveLength(1);
    push(pipe, ServerFrame.tile, 1, { rows: 'nonsense' });
    paints[1]?.();
    expect(acks(sent)).toHaveLength(2);
    push(pipe, ServerFrame.ended, 1, { code: 'EXITED', message: 'over' });
    expect(heard).toEqual(['ab|c', 'EXITED']);
    tile.dispose();
    expect(sent.at(-1)?.type).toBe(ClientFrame.ack);
    link.dispose();
  });

  it('opens a view before its page asks, with the size of the last, and hands over what came', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    link.expect(open.agentId);
    expect(core.pipes).toEqual([]);
    const first = link.open({ ...open, historyLines: 100 }, listener());
    const { pipe, sent } = await core.pipe(0);
    first.resize({ cols: 120, rows: 40 });
    first.close();
    const opens = (): Frame[] => sent.filter(({ type }) => type === ClientFrame.open);
    const grace = AgentId.parse('grace');
    link.expect(grace);
    expect(json(opens()[1])).toMatchObject({ agentId: 'grace', cols: 120, rows: 40, historyLines: 100, control: 'watch' });
    expect(opens()[1]?.channel).toBe(2);
    pipe.onBytes(encodeFrame(ServerFrame.opened, 2, new TextEncoder().encode('{"cols":120,"rows":40,"window":"main"}')));
    pipe.onBytes(encodeFrame(ServerFrame.screen, 2, new TextEncoder().encode('early')));
    const heard = listener();
    link.open({ agentId: grace, cols: 121, rows: 41, historyLines: 100, control: 'watch' }, heard);
    expect(heard.calls).toEqual([]);
    await Promise.resolve();
    pipe.onBytes(encodeFrame(ServerFrame.data, 2, new TextEncoder().encode('late')));
    expect(heard.calls).toEqual(['opened 120x40', 'bytes 5', 'bytes 4']);
    expect(opens()).toHaveLength(2);
    expect(sent.filter(({ type }) => type === ClientFrame.close).map(({ channel }) => channel)).toEqual([1]);
    link.dispose();
  });

  it('closes a view that its page did not ask for as it was expected', async () => {
    const core = new FakeCore();
    const link = new TerminalLink(core, { backoff: QUICK });
    link.open(open, listener());
    const { sent } = await core.pipe(0);
    const closed = (): number[] => sent.filter(({ type }) => type === ClientFrame.close).map(({ channel }) => channel);
    link.expect(open.agentId);
    link.open({ ...open, window: 'gate' }, listener());
    expect(closed()).toEqual([2]);
    vi.useFakeTimers();
    try {
      link.expect(open.agentId);
      vi.advanceTimersByTime(2_000);
      expect(closed()).toEqual([2]);
      vi.advanceTimersByTime(2_000);
      expect(closed()).toEqual([2, 4]);
    } finally {
      vi.useRealTimers();
    }
    link.dispose();
  });
});
