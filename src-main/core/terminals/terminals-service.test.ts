import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '#shared/kernel/errors.ts';
import { terminalsContract } from '#shared/terminals/contract.ts';
import { agentId, waitForScreen } from '#core/runtimes/testing/support.ts';
import { terminalsHandlers } from './handlers.ts';
import { until } from './testing/terminal-client.ts';
import { OPERATOR, TerminalsFixture } from './testing/terminals-fixture.ts';

let fixture: TerminalsFixture;
const call = { caller: OPERATOR, signal: new AbortController().signal };

beforeEach(() => {
  fixture = new TerminalsFixture();
});

afterEach(async () => {
  await fixture.dispose();
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
}

function handlers(): ReturnType<typeof terminalsHandlers> {
  return terminalsHandlers(fixture.terminals);
}

const id = agentId('one');

describe('the terminals service', () => {
  it('reads the screen, with history and colours if wanted, as the contract says', async () => {
    const run = await fixture.start(
      'one',
      'for i in $(seq 1 100); do echo "line $i"; done; printf "\\e[31mred\\e[0m"; sleep 600',
      { cols: 70, rows: 20 },
    );
    await waitForScreen(run, 'red');
    const outputSchema = terminalsContract.capture['~orpc'].outputSchema;
    const plain = await handlers().capture({ id, window: 'main', historyLines: 10, ansi: false }, call);
    expect(outputSchema?.safeParse(plain).success).toBe(true);
    expect(plain.size).toEqual({ cols: 70, rows: 20 });
    expect(plain.lines).toHaveLength(30);
    expect(plain.lines.at(-1)).toBe('red');
    expect(plain.windows).toEqual(['main']);
    const coloured = await handlers().capture({ id, window: 'main', historyLines: 0, ansi: true }, call);
    expect(coloured.lines).toHaveLength(20);
    expect(coloured.lines.at(-1)).toContain('\x1b[31mred');
    // Reading needs no hub.
    expect(fixture.terminals.openHubs).toBe(0);
  });

  it('types text and Enter, and leaves a trace', async () => {
    const run = await fixture.start('one', 'while read -r line; do echo "<$line>"; done');
    expect(await handlers().write({ id, window: 'main', text: 'ab', enter: false }, call)).toEqual({ id, typedBytes: 2 });
    expect(await handlers().write({ id, window: 'main', text: 'c é', enter: true }, call)).toEqual({ id, typedBytes: 5 });
    await waitForScreen(run, '<abc é>');
    expect(fixture.typedEvents()).toBe(1);
    await until('the hub is closed', () => fixture.terminals.openHubs === 0);
  });

  it('sets the size, also for those who look', async () => {
    await fixture.start('one', 'while sleep 0.05; do now=$(stty size); [ "$now" = "$was" ] || echo "size $now."; was=$now; done');
    const view = (await fixture.connect()).view({ agentId: 'one' });
    await view.shows('size 24 80.');
    expect(await handlers().resize({ id, cols: 66, rows: 18 }, call)).toEqual({ cols: 66, rows: 18 });
    await view.shows('size 18 66.');
    expect([view.terminal.cols, view.terminal.rows]).toEqual([66, 18]);
  });

  it('sets the size when nobody looks', async () => {
    const run = await fixture.start(
      'one',
      'while sleep 0.05; do now=$(stty size); [ "$now" = "$was" ] || echo "size $now."; was=$now; done',
    );
    await handlers().resize({ id, cols: 66, rows: 18 }, call);
    await waitForScreen(run, 'size 18 66.');
    await until('the hub is closed', () => fixture.terminals.openHubs === 0);
    expect((await run.capture({ historyLines: 0, ansi: false })).size).toEqual({ cols: 66, rows: 18 });
  });

  it('says what is missing', async () => {
    const input = { window: 'main', text: 'x', enter: false };
    const nobody = agentId('nobody');
    const down = agentId('known-but-down');
    expect(await codeOf(handlers().write({ ...input, id: nobody }, call))).toBe('NOT_FOUND');
    expect(await codeOf(handlers().write({ ...input, id: down }, call))).toBe('CONFLICT');
    expect(await codeOf(handlers().capture({ id: down, window: 'main', historyLines: 0, ansi: false }, call))).toBe('CONFLICT');
    expect(await codeOf(handlers().resize({ id: nobody, cols: 80, rows: 24 }, call))).toBe('NOT_FOUND');
    const outside = agentId('known-outside');
    await expect(handlers().capture({ id: outside, window: 'main', historyLines: 0, ansi: false }, call)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('enrolled from outside') as string,
    });
    const run = await fixture.start('one', 'echo the end');
    await run.ended;
    expect(await codeOf(handlers().write({ ...input, id }, call))).toBe('CONFLICT');
    expect(await codeOf(handlers().resize({ id, cols: 80, rows: 24 }, call))).toBe('CONFLICT');
    // The screen of what has ended can still be read.
    expect((await handlers().capture({ id, window: 'main', historyLines: 0, ansi: false }, call)).lines[0]).toBe('the end');
    expect(await codeOf(handlers().capture({ id, window: 'attic', historyLines: 0, ansi: false }, call))).toBe('NOT_FOUND');
    expect(fixture.typedEvents()).toBe(0);
  });

  it('opens nothing any more once disposed', async () => {
    await fixture.start('one', 'echo here; sleep 600');
    const view = (await fixture.connect()).view({ agentId: 'one' });
    await view.shows('here');
    fixture.terminals.dispose();
    expect(fixture.terminals.openHubs).toBe(0);
    expect(await codeOf(handlers().write({ id, window: 'main', text: 'x', enter: false }, call))).toBe('UNAVAILABLE');
  });
});
