import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { agentId, waitForScreen } from '#core/runtimes/testing/support.ts';
import { PtyRuntime } from '#core/runtimes/pty/pty-runtime.ts';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  encodeAck,
  HIGH_WATER_BYTES,
  MAX_CHANNELS,
  MAX_FRAME_BYTES,
  ServerFrame,
} from '#shared/terminals/frames.ts';
import type { ClientView } from './testing/terminal-client.ts';
import { until } from './testing/terminal-client.ts';
import type { LinkKind } from './testing/terminals-fixture.ts';
import { OBSERVER, TerminalsFixture } from './testing/terminals-fixture.ts';

let fixture: TerminalsFixture;

beforeEach(() => {
  fixture = new TerminalsFixture();
});

afterEach(async () => {
  await fixture.dispose();
});

/** Waits until the view's screen is what tmux says it is. */
async function matchesCapture(name: string, view: ClientView): Promise<void> {
  let difference = '';
  await until(`the screen of ${name} is the captured one`, async () => {
    const run = fixture.runs.get(agentId(name));
    const lines = (await run?.capture({ historyLines: 0, ansi: false }))?.lines.map((line) => line.trimEnd()) ?? [];
    const shown = view.lines();
    difference = JSON.stringify({ lines, shown });
    return shown.length === view.terminal.rows && shown.every((line, y) => line.trimEnd() === (lines[y] ?? ''));
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${difference}`);
  });
}

const FULL_SCREEN = [
  'printf "\\e[?1049h\\e[2J\\e[?25l"',
  'printf "\\e[1;1H\\e[44;97m TOP LINE \\e[0m\\e[3;5H漢字 wide \\e[38;2;255;100;0morange\\e[0m"',
  'printf "\\e[5;10r\\e[24;70Hend"',
  'for i in 1 2 3 4 5 6 7 8 9; do printf "\\e[10;1H\\nrow $i"; done',
  'printf "\\e[r\\e[12;1H%080d" 7',
  'read -r x; printf "\\e[20;1Hafter $x"; sleep 600',
].join('; ');

describe.each<LinkKind>(['websocket', 'port'])('a terminal link over a %s', (kind) => {
  it('shows the screen, what is typed and what follows, to an early and a late viewer', async () => {
    await fixture.start('shell', 'PS1="$ " exec bash --norc --noprofile -i');
    const client = await fixture.connect(kind);
    const first = client.view({ agentId: 'shell', control: 'take' });
    await first.shows('$');
    client.type(first, 'echo early-$((40+2))\r');
    await first.shows('early-42');
    const second = (await fixture.connect(kind)).view({ agentId: 'shell' });
    await second.shows('early-42');
    client.type(first, 'echo late-$((50+2))\r');
    await Promise.all([first.shows('late-52'), second.shows('late-52')]);
    await matchesCapture('shell', first);
    await matchesCapture('shell', second);
    expect(first.types[0]).toBe(ServerFrame.opened);
    const standing = first.types.slice(first.types.indexOf(ServerFrame.control));
    const output = standing.filter((type) => type !== ServerFrame.control);
    expect(output[0]).toBe(ServerFrame.screen);
    expect(output.slice(1).every((type) => type === ServerFrame.data)).toBe(true);
    // The second found the terminal attached to: nothing comes before its view stands.
    expect(second.types.slice(0, 3)).toEqual([ServerFrame.opened, ServerFrame.control, ServerFrame.screen]);
    expect(fixture.terminals.openHubs).toBe(1);
  });

  it('shows a full-screen program with colours and wide characters to a late viewer', async () => {
    const run = await fixture.start('full', FULL_SCREEN);
    const early = (await fixture.connect(kind)).view({ agentId: 'full' });
    await waitForScreen(run, 'end');
    await early.shows('row 9');
    await matchesCapture('full', early);
    const client = await fixture.connect(kind);
    const late = client.view({ agentId: 'full', control: 'take' });
    await late.shows('row 9');
    await matchesCapture('full', late);
    const cell = late.terminal.buffer.active.getLine(0)?.getCell(1);
    expect([cell?.getChars(), cell?.getBgColor(), cell?.getFgColor()]).toEqual(['T', 4, 15]);
    expect(late.terminal.buffer.active.getLine(2)?.getCell(4)?.getWidth()).toBe(2);
    client.type(late, 'done\r');
    await Promise.all([late.shows('after done'), early.shows('after done')]);
    await matchesCapture('full', early);
    await matchesCapture('full', late);
  });

  it('sends history behind the screen, with another screen that belongs to it', async () => {
    const run = await fixture.start('long', 'for i in $(seq 1 3000); do echo "line $i"; done; sleep 600');
    await waitForScreen(run, 'line 3000');
    const view = (await fixture.connect(kind)).view({ agentId: 'long', historyLines: 2_000 });
    await until('it is drawn', () => view.wholes.length === 1);
    const order = view.types.filter((type, index) => type !== view.types[index - 1] && type !== ServerFrame.data);
    const { opened, control, screen, scrollback, history } = ServerFrame;
    // The terminal had the viewer's size already: its screen is shown while it is still being attached to.
    expect(order).toEqual([opened, screen, control, screen, scrollback, history, screen]);
    const numbers = [...view.scrollback(), ...view.lines()].flatMap((line) => /line (\d+)/.exec(line)?.[1] ?? []).map(Number);
    expect(numbers.slice(-23)).toEqual(Array.from({ length: 23 }, (_, index) => 2_978 + index));
    expect(numbers).toEqual(Array.from({ length: 2_023 }, (_, index) => 978 + index));
    await matchesCapture('long', view);
  });

  it(
    'lets the program and other viewers run while one is frozen, which then gets the right screen',
    async () => {
      const bytes = effort.floodBytes;
      const script = `read -r go; head -c ${bytes} /dev/urandom | base64 -w 100 | head -c ${bytes}; echo; echo flood-over; read -r x; echo got $x; sleep 600`;
      fixture.use(new PtyRuntime({ log: () => undefined }));
      const run = await fixture.start('flood', script);
      const client = await fixture.connect(kind);
      const live = client.view({ agentId: 'flood', control: 'take' });
      await until('both views are open', () => live.opened !== undefined);
      const slow = await fixture.connect(kind);
      const link = fixture.lastLink;
      const frozen = slow.view({ agentId: 'flood' }, { isFrozen: true });
      await until('the frozen view is open', () => frozen.types.includes(ServerFrame.screen));
      client.type(live, 'go\r');
      await live.shows('flood-over', effort.roundsBudgetMs);
      await waitForScreen(run, 'flood-over');
      expect(frozen.acknowledgedBytes).toBe(0);
      expect(frozen.receivedBytes).toBeLessThan(HIGH_WATER_BYTES + MAX_FRAME_BYTES + 64 * 1024);
      expect(frozen.receivedBytes).toBeGreaterThan(HIGH_WATER_BYTES);
      expect(link?.channels).toBe(1);
      frozen.thaw();
      await frozen.shows('flood-over');
      await matchesCapture('flood', frozen);
      expect(frozen.types.filter((type) => type === ServerFrame.screen).length).toBeGreaterThan(1);
      client.type(live, 'word\r');
      await Promise.all([frozen.shows('got word'), live.shows('got word')]);
      await matchesCapture('flood', frozen);
      await matchesCapture('flood', live);
    },
    effort.roundsTimeoutMs,
  );

  it('resizes the program for all: who has control decides, else who resized last', async () => {
    await fixture.start(
      'sized',
      'while sleep 0.05; do now=$(stty size); [ "$now" = "$was" ] || echo "size $now."; was=$now; done',
    );
    const client = await fixture.connect(kind);
    const first = client.view({ agentId: 'sized', cols: 90, rows: 30 });
    await first.shows('size 30 90.');
    const second = client.view({ agentId: 'sized', cols: 60, rows: 20 });
    await until('the second view is open', () => second.opened);
    expect(second.opened).toEqual({ cols: 90, rows: 30, window: 'main' });
    client.take(second);
    await Promise.all([first.shows('size 20 60.'), second.shows('size 20 60.')]);
    expect([first.terminal.cols, first.terminal.rows]).toEqual([60, 20]);
    // Remembered, and of no consequence while another has control.
    client.resize(first, 101, 33);
    client.resize(second, 61, 21);
    await first.shows('size 21 61.');
    client.release(second);
    await until('control is free', () => first.control === 'nobody');
    client.resize(second, 62, 22);
    await first.shows('size 22 62.');
    client.take(first);
    await Promise.all([first.shows('size 33 101.'), second.shows('size 33 101.')]);
    expect([second.terminal.cols, second.terminal.rows]).toEqual([101, 33]);
    await matchesCapture('sized', first);
    await matchesCapture('sized', second);
  });

  it('tells the end after the last output, and can be opened again after a restart', async () => {
    const run = await fixture.start('brief', 'read -r x; for i in $(seq 1 500); do echo "out $i"; done; echo last-words; exit 3');
    const client = await fixture.connect(kind);
    const view = client.view({ agentId: 'brief', control: 'take' });
    await until('the view is open', () => view.opened);
    client.type(view, 'go\r');
    await until('the end is told', () => view.ended);
    expect(view.ended).toEqual({ code: 'EXITED', message: 'The agent exited with code 3.' });
    expect(view.types.at(-1)).toBe(ServerFrame.ended);
    await view.shows('last-words');
    expect(fixture.lastLink?.channels).toBe(0);

    // While it is down its last screen is shown, and the reason again.
    const post = client.view({ agentId: 'brief', historyLines: 1_000 });
    await until('the end is told again', () => post.ended);
    await post.shows('last-words');
    expect(post.historyText).toContain('out 1\r');
    await matchesCapture('brief', post);

    await run.discard();
    await fixture.start('brief', 'echo second life; sleep 600');
    const again = client.view({ agentId: 'brief' }, { channel: view.channel });
    await again.shows('second life');
    await fixture.runs.get(agentId('brief'))?.stop(0);
    await until('the end is told', () => again.ended);
    expect(again.ended?.code).toBe('SIGNALLED');
  });

  it('closes the hub some time after the last viewer, and all views with the link', async () => {
    await fixture.start('shared', 'echo here; sleep 600');
    const client = await fixture.connect(kind);
    const one = client.view({ agentId: 'shared' });
    const two = client.view({ agentId: 'shared' });
    await Promise.all([one.shows('here'), two.shows('here')]);
    client.closeView(one);
    client.closeView(two);
    await until('no hub is open', () => fixture.terminals.openHubs === 0);
    expect(fixture.lastLink?.channels).toBe(0);
    const three = client.view({ agentId: 'shared' });
    await three.shows('here');
    client.close();
    await until('no hub is open', () => fixture.terminals.openHubs === 0);
  });

  it('survives any junk', async () => {
    await fixture.start('target', 'cat');
    const healthy = await fixture.connect(kind);
    const view = healthy.view({ agentId: 'target', control: 'take' });
    await until('the view is open', () => view.opened);
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record(
          {
            agentId: fc.constantFrom('target', 'nobody', 'known-but-down', 'Bad Id'),
            window: fc.constantFrom('main', 'none'),
            cols: fc.integer({ min: 0, max: 600 }),
            rows: fc.integer({ min: 0, max: 400 }),
          },
          { requiredKeys: [] },
        )
        .map((value) => Buffer.from(JSON.stringify(value))),
      fc.constant(encodeAck(ACK_EVERY_BYTES)),
    );
    const frame = fc
      .tuple(
        fc.oneof(fc.constantFrom(...Object.values(ClientFrame), ...Object.values(ServerFrame)), fc.nat(255)),
        fc.nat(3),
        payload,
      )
      .map(([type, channel, body]) => Buffer.concat([Uint8Array.of(type, 0, 0, 0, channel), body]));
    const message = fc.oneof(
      { weight: 8, arbitrary: frame },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }) },
      { weight: 1, arbitrary: fc.string() },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 20 }),
        withinTime(async (messages) => {
          const client = await fixture.connect(kind);
          for (const one of messages) client.sendRaw(one);
          client.close();
        }),
      ),
      { numRuns: effort.propertyRuns },
    );
    healthy.type(view, 'still here\r');
    await view.shows('still here');
    expect(fixture.logged).toEqual([]);
  });

  it('closes on what is no frame, with the reason', async () => {
    const cases: (readonly [Uint8Array | string, number])[] = [
      ['text', 1003],
      [Uint8Array.of(1, 2), 1002],
      [new Uint8Array(MAX_FRAME_BYTES + 6), 1009],
    ];
    for (const [message, code] of cases) {
      const client = await fixture.connect(kind);
      client.sendRaw(message);
      await until('the link is closed', () => client.closeCode !== undefined);
      // A port has no codes.
      expect(client.closeCode).toBe(kind === 'websocket' ? code : 0);
    }
  });
});

describe('a terminal link', () => {
  async function refused(view: ClientView, code: string): Promise<string> {
    const failure = await until(`a refusal with ${code}`, () => view.failures[0]);
    expect(failure.code).toBe(code);
    return failure.message;
  }

  it('says why it refuses', async () => {
    await fixture.start('one', 'sleep 600');
    const client = await fixture.connect();
    expect(await refused(client.view({ agentId: 'nobody' }), 'NOT_FOUND')).toContain('no agent "nobody"');
    expect(await refused(client.view({ agentId: 'known-but-down' }), 'CONFLICT')).toContain('not running');
    await refused(client.view({ agentId: 'one', window: 'attic' }), 'NOT_FOUND');
    await refused(client.view({ agentId: 'one', cols: 2 }), 'BAD_REQUEST');
    const good = client.view({ agentId: 'one' });
    await until('the view is open', () => good.opened);
    client.send(ClientFrame.open, good.channel, Buffer.from('{"agentId":"one","cols":80,"rows":24}'));
    await refused(good, 'CONFLICT');
    good.failures.length = 0;
    client.send(99, good.channel, new Uint8Array(0));
    await refused(good, 'BAD_REQUEST');
    good.failures.length = 0;
    client.send(ClientFrame.ack, good.channel, new Uint8Array(3));
    await refused(good, 'BAD_REQUEST');
    expect(fixture.lastLink?.channels).toBe(1);
  });

  it('lets observers look and nothing else', async () => {
    const run = await fixture.start('watched', 'echo look; cat', { cols: 77, rows: 22 });
    const client = await fixture.connect('port', OBSERVER);
    const view = client.view({ agentId: 'watched', cols: 40, rows: 10 });
    await view.shows('look');
    // Not even the size changes by looking.
    expect(view.opened).toMatchObject({ cols: 77, rows: 22 });
    client.type(view, 'x\r');
    expect(await refused(view, 'FORBIDDEN')).toContain('operator');
    view.failures.length = 0;
    client.resize(view, 50, 20);
    await refused(view, 'FORBIDDEN');
    expect((await run.capture({ historyLines: 0, ansi: false })).size).toEqual({ cols: 77, rows: 22 });
    expect(fixture.typedEvents()).toBe(0);
  });

  it('has a limit on channels', async () => {
    await fixture.start('many', 'echo here; sleep 600');
    const client = await fixture.connect();
    const views = Array.from({ length: MAX_CHANNELS }, () => client.view({ agentId: 'many' }));
    await Promise.all(views.map((view) => view.shows('here')));
    expect(await refused(client.view({ agentId: 'many' }), 'TOO_MANY_REQUESTS')).toContain('128');
    expect(fixture.terminals.openHubs).toBe(1);
  });

  it('tells the journal of typing once per spell, before it types, and never what', async () => {
    await fixture.start('typed', 'cat');
    const client = await fixture.connect();
    const view = client.view({ agentId: 'typed', control: 'take' });
    // Typed before the view is open: kept, and in order.
    client.type(view, 'sec');
    client.type(view, 'ret');
    client.type(view, '-word\r');
    await view.shows('secret-word');
    expect(fixture.typedEvents()).toBe(1);
    fixture.now += 59_000;
    client.type(view, 'a\r');
    await view.shows('\na');
    expect(fixture.typedEvents()).toBe(1);
    fixture.now += 60_000;
    client.type(view, 'b\r');
    await view.shows('\nb');
    expect(fixture.typedEvents()).toBe(2);
    expect(JSON.stringify(fixture.testStore.journal.recentAfter(0, 100))).not.toContain('secret');
  });

  it('leaves it to the runtime to answer a program, however many look', async () => {
    fixture.use(new PtyRuntime({ log: () => undefined }));
    const ask = `read -r go; stty raw -echo; printf '\\033[6n'; answer=$(dd bs=1 count=6 2>/dev/null | od -An -c); stty sane; echo "answer:$answer"; cat`;
    await fixture.start('asks', ask);
    const client = await fixture.connect();
    const views = [client.view({ agentId: 'asks', control: 'take' }), client.view({ agentId: 'asks' })];
    const answers: string[] = [];
    for (const view of views) view.terminal.onData((answer) => answers.push(answer));
    await until('both views are open', () => views.every((view) => view.types.includes(ServerFrame.screen)));
    for (const view of views) client.type(view, view === views[0] ? 'go\r' : '');
    await Promise.all(views.map((view) => view.shows('R')));
    expect(views[0]?.lines().join('\n')).toMatch(/answer: 033 {3}\[ {3}2 {3}; {3}1 {3}R/);
    expect(answers).toEqual([]);
  });

  it('shows nothing of another size before the view stands', async () => {
    const run = await fixture.start('other', 'echo here; sleep 600');
    await waitForScreen(run, 'here');
    const view = (await fixture.connect()).view({ agentId: 'other', cols: 97, rows: 31 });
    await view.shows('here');
    expect(view.types.slice(0, 3)).toEqual([ServerFrame.opened, ServerFrame.control, ServerFrame.screen]);
  });

  it('ends a view whose stream was cut while the agent runs on', async () => {
    await fixture.start('cut', 'echo here; sleep 600');
    const client = await fixture.connect();
    const view = client.view({ agentId: 'cut' });
    await view.shows('here');
    await until('the view stands', () => view.types.includes(ServerFrame.control));
    fixture.cutViewers();
    await until('the end is told', () => view.ended);
    expect(view.ended).toMatchObject({ code: 'DETACHED' });
    await client.view({ agentId: 'cut' }).shows('here');
  });
});
