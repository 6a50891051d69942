import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoxReport } from '#shared/box/model.ts';
import { waitFor } from '#core/runtimes/testing/support.ts';
import type { DeskOptions } from './launch-desk.ts';
import { SocketDesk } from './launch-desk.ts';
import { heldChecks, PROBE } from './testing/proofs.ts';

const START: DeskOptions['start'] = {
  argv: ['agent'],
  cwd: '/workspace',
  env: { TOKEN: 'for-the-agent-only' },
  size: { cols: 80, rows: 24 },
  sideWindows: [],
  setup: null,
  keptLines: 100,
};
const PROOF: BoxReport = { type: 'proof', checks: heldChecks(PROBE), tookMs: 12 };
const STARTED: BoxReport = { type: 'started', pid: 7 };

let folder: string;
let path: string;
const clients: Client[] = [];
const desks: SocketDesk[] = [];
/** What was decided about, in order. */
let decided: { holds: boolean; problem: string | undefined; checks: number }[];

/** Something that connects and is not believed. */
class Client {
  readonly socket: Socket;
  text = '';
  isClosed = false;

  constructor() {
    this.socket = connect(path);
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    clients.push(this);
  }

  say(...reports: readonly BoxReport[]): void {
    this.socket.write(reports.map((report) => `${JSON.stringify(report)}\n`).join(''));
  }

  hears(text: string): Promise<boolean> {
    return waitFor(`"${text}" on the line`, () => this.text.includes(text));
  }

  closes(): Promise<boolean> {
    return waitFor('the end of the line', () => this.isClosed);
  }
}

async function open(changes: Partial<DeskOptions> = {}): Promise<SocketDesk> {
  const desk = await SocketDesk.open({
    agentId: 'ada',
    socketPath: path,
    owner: null,
    probe: PROBE,
    start: START,
    decide: ({ inside, problem }) => {
      const holds = inside !== undefined && inside.checks.every(({ outcome }) => outcome === 'held');
      decided.push({ holds, problem, checks: inside?.checks.length ?? 0 });
      return Promise.resolve({ holds, problem: holds ? null : (problem ?? 'Write outside: it was allowed.') });
    },
    ...changes,
  });
  desks.push(desk);
  return desk;
}

const admit = (desk: SocketDesk): Promise<{ pid: number }> => {
  const admitted = desk.admit([], { makesTerminal: true });
  admitted.catch(() => undefined); // It may be refused before the test looks.
  return admitted;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-desk-'));
  path = join(folder, 'launch.sock');
  decided = [];
});
afterEach(() => {
  for (const client of clients.splice(0)) client.socket.destroy();
  for (const desk of desks.splice(0)) desk.dispose();
  rmSync(folder, { recursive: true });
});

describe('the launch desk', () => {
  it('asks for the proof, lets go what holds, and tells the pid', async () => {
    const desk = await open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const box = new Client();
    await box.hears('"probe"');
    expect(existsSync(path)).toBe(false);
    box.say(PROOF);
    const admitted = admit(desk);
    await box.hears('"start"');
    expect(JSON.parse(box.text.split('\n')[1] ?? '')).toEqual({ ...START, type: 'start', makesTerminal: true });
    box.say(STARTED);
    expect(await admitted).toEqual({ pid: 7 });
    expect(decided).toEqual([{ holds: true, problem: undefined, checks: heldChecks(PROBE).length }]);
    await box.closes();
  });

  it('tells nothing of the agent to a box that does not hold, and says why', async () => {
    const desk = await open();
    const box = new Client();
    const [first, ...rest] = heldChecks(PROBE);
    if (first === undefined) throw new Error('no check');
    box.say({ type: 'proof', checks: [{ ...first, outcome: 'broken' }, ...rest], tookMs: 1 });
    await expect(admit(desk)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('its boundary does not hold: Write outside') as unknown,
      data: { cause: 'boundary' },
    });
    await box.closes();
    expect(box.text).not.toContain('for-the-agent-only');
  });

  it.each<[string, (box: Client) => void, RegExp]>([
    ['garbage', (box) => box.socket.write('\u0000\u00ff{{{]]\n'), /no JSON/],
    ['other JSON', (box) => box.socket.write('{"type":"proof","checks":"all held","tookMs":1}\n'), /no report/],
    ['a proof of a deep nonsense', (box) => box.socket.write(`${'['.repeat(100_000)}\n`), /no JSON|no report/],
    ['the start before the proof', (box) => box.say(STARTED, PROOF), /"started" instead/],
    ['a huge line', (box) => box.socket.write('x'.repeat(1 << 20)), /too long/],
    ['a huge line that never ends, slowly', (box) => drip(box), /too long|did not come/],
    ['half a line and the end', (box) => box.socket.end('{"type":"pro'), /closed the line/],
    ['nothing', (box) => box.socket.end(), /closed the line/],
    ['silence', () => undefined, /did not come within/],
  ])('is not let go for %s', async (_, speak, problem) => {
    const desk = await open({ deadlineMs: 1000 });
    const box = new Client();
    await box.hears('"probe"');
    speak(box);
    await expect(admit(desk)).rejects.toThrow(problem);
    expect(decided).toMatchObject([{ holds: false, checks: 0 }]);
    await box.closes();
    expect(box.text).not.toContain('for-the-agent-only');
  });

  it.each<[string, (box: Client) => void, RegExp]>([
    ['proves twice', (box) => box.say(PROOF), /"proof" instead of starting/],
    ['says that it could not start', (box) => box.say({ type: 'not-started', problem: 'no such program' }), /no such program/],
    ['says garbage', (box) => box.socket.write('started\n'), /no JSON/],
    ['goes away', (box) => box.socket.destroy(), /closed the line/],
    ['is silent', () => undefined, /did not come within/],
  ])('fails when a box that was let go %s', async (_, speak, problem) => {
    const desk = await open({ deadlineMs: 1000 });
    const box = new Client();
    box.say(PROOF);
    const admitted = admit(desk);
    await box.hears('"start"');
    speak(box);
    await expect(admitted).rejects.toThrow(problem);
  });

  it('serves one connection: a second one is told nothing and changes nothing', async () => {
    const desk = await open();
    const box = new Client();
    const second = new Client();
    await second.closes();
    expect(second.text).toBe('');
    await box.hears('"probe"');
    const third = new Client();
    await third.closes();
    box.say(PROOF);
    const admitted = admit(desk);
    await box.hears('"start"');
    box.say(STARTED);
    expect(await admitted).toEqual({ pid: 7 });
  });

  it('sends nothing before the proof is stored', async () => {
    let store: () => void = () => undefined;
    const stored = new Promise<void>((resolve) => {
      store = resolve;
    });
    const desk = await open({ decide: () => stored.then(() => ({ holds: true, problem: null })) });
    const box = new Client();
    box.say(PROOF);
    const admitted = admit(desk);
    await box.hears('"probe"');
    expect(box.text).not.toContain('"start"');
    store();
    await box.hears('"start"');
    box.say(STARTED);
    expect(await admitted).toEqual({ pid: 7 });
  });

  it('starts nothing when the proof cannot be stored', async () => {
    const desk = await open({ decide: () => Promise.reject(new Error('disk full')) });
    const box = new Client();
    box.say(PROOF);
    await expect(admit(desk)).rejects.toThrow('disk full');
    await box.closes();
    expect(box.text).not.toContain('for-the-agent-only');
  });

  it('ends at once when the launch is given up, and removes its socket', async () => {
    const desk = await open();
    const admitted = admit(desk);
    desk.dispose();
    await expect(admitted).rejects.toThrow(/given up/);
    await waitFor('the socket to go', () => !existsSync(path));
    await expect(desk.admit([], { makesTerminal: true })).rejects.toThrow(/used already/);
  });

  it('takes the place of what an earlier core left', async () => {
    writeFileSync(path, 'left over');
    await open();
    const box = new Client();
    expect(await box.hears('"probe"')).toBe(true);
  });
});

/** Bytes without an end, in small pieces, for as long as somebody listens. */
function drip(box: Client): void {
  const next = (): void => {
    if (!box.isClosed) box.socket.write('x'.repeat(4096), () => setImmediate(next));
  };
  next();
}
