import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { connect, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeFrame, LINE_VERSION } from '#shared/box/line-frames.ts';
import { lineCommand } from '#shared/box/places.ts';
import { runLine } from '#guests/common/line/run-line.ts';
import { AgentLine } from './agent-line.ts';

const WITHIN = { timeout: 10_000, interval: 10 };
const BEAT_MS = 20;

/** One frame of the engine's: to standard output (1) or standard error (2). */
function framed(kind: 1 | 2, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(bytes.byteLength, 4);
  return Buffer.concat([header, bytes]);
}

/** As much of a container engine as a line needs. */
class Engine {
  state = { Running: true, Paused: false };
  isThere = true;
  /** How often it fails to start a program before it does. */
  failures = 0;
  /** What becomes of a program that was started. */
  program: (socket: Socket) => void = () => undefined;
  readonly commands: string[][] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  constructor(path: string) {
    this.#server = createServer((request, response) => {
      const answer = (status: number, body: unknown): void => void response.writeHead(status).end(JSON.stringify(body));
      if (request.method === 'GET') {
        if (this.isThere) answer(200, { State: this.state });
        else answer(404, { message: 'No such container: c1' });
        return;
      }
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        if (this.failures > 0) {
          this.failures -= 1;
          answer(500, { message: 'the engine has no "room"' });
          return;
        }
        this.commands.push((JSON.parse(text) as { Cmd: string[] }).Cmd);
        answer(201, { Id: `x${this.commands.length}` });
      });
    });
    this.#server.on('upgrade', (request, socket: Socket) => {
      expect(request.url).toBe(`/exec/x${this.commands.length}/start`);
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      this.program(socket);
    });
    this.#server.listen(path);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let dir: string;
let engine: Engine;
let line: AgentLine | undefined;
let problems: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qdal-'));
  mkdirSync(join(dir, 'agent'));
  engine = new Engine(join(dir, 'engine.sock'));
  problems = [];
});

afterEach(() => {
  line?.dispose();
  engine.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(): void {
  line = new AgentLine({
    agentId: 'ada',
    line: { engine: { socketPath: join(dir, 'engine.sock') }, container: 'c1' },
    socketDir: join(dir, 'agent'),
    onProblem: (problem) => problems.push(problem),
    beatMs: BEAT_MS,
  });
}

/** Inside: the real end of a line. */
function inside(socket: Socket): void {
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => void socket.write(framed(1, chunk), () => done()),
  });
  runLine(join(dir, 'inside'), socket, output).then(
    () => socket.end(),
    () => socket.destroy(),
  );
}

/** What a server at a socket inside answers to a word. */
async function askInside(door: string, word: string): Promise<string> {
  const socket = connect(join(dir, 'inside', `${door}.sock`));
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.end(word);
  await once(socket, 'close').catch(() => undefined);
  return text;
}

/** Greets, and says nothing ever after. */
const mute = (socket: Socket): void => void socket.write(framed(1, encodeFrame({ type: 'hello', version: LINE_VERSION })));

describe('the line into a container', () => {
  it('leads from each socket inside to the same one of the agent, and to none that there is not', async () => {
    const servers = ['agent', 'launch'].map((name) =>
      createNetServer({ allowHalfOpen: true }, (socket) => {
        socket.on('data', (word) => void socket.write(`${name} heard ${word.toString()}`));
        socket.on('end', () => void socket.end());
      }).listen(join(dir, 'agent', `${name}.sock`)),
    );
    engine.program = inside;
    open();
    // It is the last to be made.
    await vi.waitFor(async () => expect(await askInside('launch', 'a word')).toBe('launch heard a word'), WITHIN);
    expect(await askInside('agent', 'another')).toBe('agent heard another');
    expect(await askInside('egress', 'nobody')).toBe('');
    expect(engine.commands).toEqual([lineCommand(process.arch === 'arm64' ? 'arm64' : 'x64')]);
    expect(problems).toEqual([]);
    for (const server of servers) server.close();
  });

  it('is made again when it breaks, and tells why once', async () => {
    engine.failures = 3;
    let count = 0;
    engine.program = (socket) => {
      count += 1;
      if (count > 1) mute(socket);
      else socket.end(framed(2, Buffer.from('it could not')));
    };
    open();
    await vi.waitFor(() => expect(engine.sockets).toHaveLength(2), WITHIN);
    expect(problems).toEqual([
      expect.stringMatching(/^The line into the container of agent ada broke.*500: the engine has no \\"room\\"\.$/),
    ]);
  });

  it('stays while the container is paused, however silent it is, and not while it runs', async () => {
    engine.program = mute;
    engine.state = { Running: true, Paused: false };
    open();
    await vi.waitFor(() => expect(engine.sockets).toHaveLength(1), WITHIN);
    engine.state = { Running: true, Paused: true };
    await new Promise((resolve) => setTimeout(resolve, 20 * BEAT_MS));
    expect(engine.sockets).toHaveLength(1);
    engine.state = { Running: true, Paused: false };
    await vi.waitFor(() => expect(engine.sockets.length).toBeGreaterThan(1), WITHIN);
    expect(problems[0]).toContain('the program inside is silent');
  });

  it('is not begun in a container that is paused before that is over', async () => {
    engine.program = mute;
    engine.state = { Running: true, Paused: true };
    open();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(engine.commands).toEqual([]);
    engine.state = { Running: true, Paused: false };
    await vi.waitFor(() => expect(engine.sockets).toHaveLength(1), WITHIN);
  });

  it('ends with its container, and when it is let go', async () => {
    engine.program = mute;
    open();
    await vi.waitFor(() => expect(engine.sockets).toHaveLength(1), WITHIN);
    engine.isThere = false;
    engine.sockets[0]?.destroy();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(engine.commands).toHaveLength(1);
    engine.isThere = true;
    open();
    await vi.waitFor(() => expect(engine.sockets).toHaveLength(2), WITHIN);
    const [, second] = engine.sockets;
    const ended = second === undefined ? Promise.reject(new Error('no second')) : once(second, 'end');
    second?.resume();
    line?.dispose();
    await ended;
    expect(engine.commands).toHaveLength(2);
  });

  it('takes garbage from inside for the end of a line', async () => {
    let count = 0;
    engine.program = (socket) => {
      count += 1;
      if (count > 1) mute(socket);
      else socket.write(framed(1, Buffer.from('GET / HTTP/1.1\r\n\r\n')));
    };
    open();
    await vi.waitFor(() => expect(engine.sockets).toHaveLength(2), WITHIN);
    expect(problems[0]).toContain('the other end sent a frame of');
  });
});
