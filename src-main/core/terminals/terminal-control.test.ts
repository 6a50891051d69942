/** Who may type: control of a terminal among viewers on real links, over a real agent. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '#shared/kernel/errors.ts';
import { ClientFrame } from '#shared/terminals/frames.ts';
import { agentId } from '#core/runtimes/testing/support.ts';
import { terminalsHandlers } from './handlers.ts';
import type { ClientView, TerminalClient } from './testing/terminal-client.ts';
import { until } from './testing/terminal-client.ts';
import { AT_CLI, OBSERVER, OPERATOR, ROBOT, TerminalsFixture } from './testing/terminals-fixture.ts';

const id = agentId('one');
let fixture: TerminalsFixture;

beforeEach(() => {
  fixture = new TerminalsFixture();
});

afterEach(async () => {
  await fixture.dispose();
});

/** Opens a view and waits until it stands. */
async function open(
  client: TerminalClient,
  options: Parameters<TerminalClient['view']>[0] = { agentId: 'one' },
): Promise<ClientView> {
  const view = client.view(options);
  await until('the view is open', () => view.controls.length > 0);
  return view;
}

async function refusal(view: ClientView): Promise<{ code: string; message: string }> {
  const failure = await until('a refusal', () => view.failures[0]);
  view.failures.length = 0;
  return failure;
}

/** What the journal has of control, in a few words each. */
function journal(): string[] {
  return fixture.events().flatMap((one) => {
    const who = `${one.actor.id} ${one.door}`;
    if (one.kind === 'terminal.control-taken') {
      const { from, window } = one.data;
      return `${who} takes ${window}${from ? ` from ${from.name} ${from.door}` : ''}`;
    }
    return one.kind === 'terminal.control-released' ? `${who} frees ${one.data.window}: ${one.data.reason}` : [];
  });
}

describe('control of a terminal', () => {
  it("is nobody's at first, and typing without it is refused and leaves the view open", async () => {
    await fixture.start('one', 'cat');
    const client = await fixture.connect();
    const view = await open(client);
    expect(view.controls.at(-1)).toEqual({ holder: null, viewers: 1 });
    client.type(view, 'lost\r');
    const refused = await refusal(view);
    expect(refused.code).toBe('CONFLICT');
    expect(refused.message).toContain('take control');
    client.take(view);
    client.type(view, 'kept\r');
    await view.shows('kept');
    expect(view.lines().join('\n')).not.toContain('lost');
    expect(view.controls.at(-1)).toEqual({
      holder: { name: 'operator', door: 'web', isYou: true, since: fixture.now },
      viewers: 1,
    });
    expect(fixture.typedEvents()).toBe(1);
    expect(journal()).toEqual(['operator web takes main']);
  });

  it("is one viewer's at a time, whoever asks, and by force another's", async () => {
    await fixture.start('one', 'cat');
    const window = await fixture.connect('websocket');
    const shell = await fixture.connect('port', AT_CLI);
    const robot = await fixture.connect('port', ROBOT);
    const [first, second, third] = [await open(window), await open(shell), await open(robot)];
    window.take(first);
    await until('all know', () => [first, second, third].every((view) => view.controls.at(-1)?.holder?.name === 'operator'));
    expect([first.control, second.control, third.control]).toEqual(['you', 'operator', 'operator']);
    expect(first.controls.at(-1)?.viewers).toBe(3);
    shell.take(second);
    const held = await refusal(second);
    expect(held.code).toBe('CONFLICT');
    expect(held.message).toContain('operator (web)');
    robot.type(third, 'x');
    expect((await refusal(third)).message).toContain('operator (web)');
    // Another view of the same person in the same window is another view.
    const twin = await open(window);
    window.take(twin);
    await refusal(twin);
    robot.take(third, true);
    await until('it is told', () => first.control === 'token tok_robot' && twin.control === 'token tok_robot');
    window.type(first, 'too late\r');
    expect((await refusal(first)).message).toContain('token tok_robot (web)');
    robot.type(third, 'mine\r');
    await first.shows('mine');
    robot.release(third);
    await until('it is free', () => first.control === 'nobody');
    window.release(first);
    shell.take(second);
    await until('it is taken', () => second.control === 'you');
    expect(journal()).toEqual([
      'operator web takes main',
      'tok_robot web takes main from operator web',
      'tok_robot web frees main: released',
      'operator cli takes main',
    ]);
  });

  it('can be asked for with the opening, which stands in any case', async () => {
    await fixture.start('one', 'cat');
    const client = await fixture.connect();
    const first = await open(client, { agentId: 'one', control: 'take' });
    await until('it has control', () => first.control === 'you');
    const second = await open(client, { agentId: 'one', control: 'take' });
    expect((await refusal(second)).code).toBe('CONFLICT');
    await second.shows('');
    expect(second.ended).toBeUndefined();
    const third = await open(client, { agentId: 'one', control: 'force' });
    await until('it has control', () => third.control === 'you');
    expect(first.control).toBe('operator');
  });

  it('ends with the view, and with the agent', async () => {
    const run = await fixture.start('one', 'cat');
    const client = await fixture.connect();
    const first = await open(client, { agentId: 'one', control: 'take' });
    const second = await open(client);
    await until('it is taken', () => second.control === 'operator');
    client.closeView(first);
    await until('it is free', () => second.controls.at(-1)?.holder === null && second.controls.at(-1)?.viewers === 1);
    client.take(second);
    await until('it is taken', () => second.control === 'you');
    await run.stop(0);
    await until('the end', () => second.ended);
    await until('the journal has it', () => journal().length === 4);
    expect(journal().filter((line) => line.includes('frees'))).toEqual([
      'operator web frees main: closed',
      'operator web frees main: ended',
    ]);
    expect(await fixture.terminals.status(id)).toEqual({ windows: ['main'], holder: null, viewers: 0 });
  });

  it('is kept a short time for one whose connection was lost, who takes up where they were', async () => {
    fixture.terminals.dispose();
    await fixture.dispose();
    fixture = new TerminalsFixture({ graceMs: 60_000 });
    await fixture.start('one', 'cat');
    const other = await open(await fixture.connect('port', ROBOT));
    const client = await fixture.connect('websocket');
    const view = await open(client, { agentId: 'one', control: 'take' });
    await until('it is taken', () => view.control === 'you' && other.control === 'operator');
    client.close();
    await until('its view is gone', () => other.controls.at(-1)?.viewers === 1);
    expect(other.control).toBe('operator');
    const back = await fixture.connect('websocket');
    const again = await open(back, { agentId: 'one', control: 'take' });
    await until('it is back', () => again.control === 'you');
    back.type(again, 'still me\r');
    await other.shows('still me');
    // It never ceased.
    expect(journal()).toEqual(['operator web takes main']);
  });

  it("is nobody else's before that time is over, unless by force", async () => {
    await fixture.start('one', 'cat');
    const robot = await fixture.connect('port', ROBOT);
    const other = await open(robot);
    const client = await fixture.connect('websocket');
    const view = await open(client, { agentId: 'one', control: 'take' });
    await until('it is taken', () => view.control === 'you');
    client.close();
    await until('its view is gone', () => other.controls.at(-1)?.viewers === 1);
    await until('it is free', () => other.control === 'nobody');
    robot.take(other);
    await until('it is taken', () => other.control === 'you');
    await until('the journal has it', () => journal().length === 3);
    expect(journal()).toEqual(['operator web takes main', 'operator web frees main: lost', 'tok_robot web takes main']);
  });

  it('is for those who may type', async () => {
    await fixture.start('one', 'echo look; cat');
    const client = await fixture.connect('port', OBSERVER);
    const view = await open(client, { agentId: 'one', control: 'take' });
    expect((await refusal(view)).code).toBe('FORBIDDEN');
    client.take(view, true);
    expect((await refusal(view)).code).toBe('FORBIDDEN');
    await view.shows('look');
    expect(journal()).toEqual([]);
  });

  it('holds for all windows of an agent, and for calls', async () => {
    const run = await fixture.start('one', 'cat');
    const client = await fixture.connect();
    const view = await open(client, { agentId: 'one', control: 'take' });
    await until('it is taken', () => view.control === 'you');
    const calls = terminalsHandlers(fixture.terminals);
    const as = (caller: typeof OPERATOR) => ({ caller, signal: new AbortController().signal });
    const input = { id, window: 'main', text: 'called', enter: true };
    const failure = await calls.write(input, as(ROBOT)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(AppError);
    expect(failure).toMatchObject({ code: 'CONFLICT', data: { holder: 'operator', door: 'web' } });
    await expect(calls.resize({ id, cols: 60, rows: 20 }, as(ROBOT))).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await run.capture({ historyLines: 0, ansi: false })).size).toEqual({ cols: 80, rows: 24 });
    // Calls of the one who has control are theirs.
    await calls.write({ ...input, text: 'own words' }, as(OPERATOR));
    await view.shows('own words');
    expect(await calls.status({ id }, as(OBSERVER))).toEqual({
      windows: ['main'],
      holder: { name: 'operator', door: 'web', since: fixture.now },
      viewers: 1,
    });
    expect(await calls.status({ id: agentId('known-but-down') }, as(OBSERVER))).toEqual({
      windows: [],
      holder: null,
      viewers: 0,
    });
    await expect(calls.status({ id: agentId('nobody') }, as(OBSERVER))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    client.release(view);
    await until('it is free', () => view.control === 'nobody');
    await calls.write(input, as(ROBOT));
    await view.shows('called');
  });

  it('is not had when the journal cannot be written', async () => {
    await fixture.start('one', 'cat');
    const client = await fixture.connect();
    const view = await open(client);
    await fixture.testStore.store.close();
    client.take(view);
    client.type(view, 'unwritten\r');
    expect((await refusal(view)).code).not.toBe('CONFLICT');
    await until('it is free again', () => view.control === 'nobody' && view.controls.length > 1);
    expect(view.lines().join('')).not.toContain('unwritten');
  });

  it('is refused with a reason for what is no payload, and to tiles', async () => {
    await fixture.start('one', 'echo here; cat');
    const client = await fixture.connect();
    const view = await open(client);
    client.send(ClientFrame.take, view.channel, Buffer.from('[]'));
    expect((await refusal(view)).code).toBe('BAD_REQUEST');
    client.send(ClientFrame.history, view.channel, Buffer.from('{"lines":0}'));
    expect((await refusal(view)).code).toBe('BAD_REQUEST');
    const tile = client.view({ agentId: 'one', tier: 'tile' });
    await until('the tile', () => tile.tile);
    client.take(tile);
    expect((await refusal(tile)).code).toBe('CONFLICT');
    client.type(tile, 'x');
    expect((await refusal(tile)).code).toBe('CONFLICT');
    expect(tile.controls).toEqual([]);
    expect((await fixture.terminals.status(id)).viewers).toBe(1);
  });
});
