import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { Door } from '#shared/box/line-frames.ts';
import { encodeFrame, FIRST_WINDOW, LINE_VERSION, MAX_PAYLOAD, MAX_STREAMS } from '#shared/box/line-frames.ts';
import { Line } from './line.ts';

interface Ends {
  readonly inside: Line;
  readonly outside: Line;
  /** Streams that came out, with their doors. */
  readonly opened: { readonly door: Door; readonly stream: Duplex }[];
  readonly reasons: string[];
  /** Most bytes that were ever on their way at once. */
  readonly peak: () => number;
}

/** Two ends; what one sends comes to the other later, split as `split` says. A way takes `room` bytes before it is full. */
function ends(options: { split?: (bytes: Uint8Array) => Uint8Array[]; room?: number; beatMs?: number } = {}): Ends {
  const { split = (bytes) => [bytes], room = 100_000 } = options;
  const reasons: string[] = [];
  const opened: Ends['opened'] = [];
  let most = 0;
  const way = (from: () => Line, to: () => Line): ((bytes: Uint8Array) => boolean) => {
    let onWay = 0;
    let isFull = false;
    return (bytes) => {
      onWay += bytes.byteLength;
      most = Math.max(most, onWay);
      setImmediate(() => {
        for (const piece of split(bytes)) to().receive(piece);
        onWay -= bytes.byteLength;
        if (!isFull || onWay >= room) return;
        isFull = false;
        from().drained();
      });
      isFull ||= onWay >= room;
      return !isFull;
    };
  };
  const beat = options.beatMs === undefined ? {} : { beatMs: options.beatMs };
  const inside: Line = new Line({
    send: way(
      () => inside,
      () => outside,
    ),
    onEnd: (reason) => reasons.push(`inside: ${reason}`),
    ...beat,
  });
  const outside: Line = new Line({
    send: way(
      () => outside,
      () => inside,
    ),
    onOpen: (door, stream) => opened.push({ door, stream }),
    onEnd: (reason) => reasons.push(`outside: ${reason}`),
    ...beat,
  });
  return { inside, outside, opened, reasons, peak: () => most };
}

async function open(both: Ends, door: Door): Promise<{ near: Duplex; far: Duplex }> {
  await vi.waitFor(() => expect(both.inside.isReady && both.outside.isReady).toBe(true));
  const before = both.opened.length;
  const near = both.inside.open(door);
  if (near === undefined) throw new Error('no stream');
  await vi.waitFor(() => expect(both.opened.length).toBeGreaterThan(before));
  const far = both.opened[before];
  expect(far?.door).toBe(door);
  if (far === undefined) throw new Error('no far end');
  return { near, far: far.stream };
}

/** Not by `for await`, which destroys a stream that still has something to say. */
function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
  });
}

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const greeting = encodeFrame({ type: 'hello', version: LINE_VERSION });

describe('a line', () => {
  it('brings every byte of every stream in order, both ways, however it is split', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ there: fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 4 }), back: fc.nat(200_000) }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.integer({ min: 1, max: 40_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        withinTime(async (wanted, size, room) => {
          const both = ends({
            room,
            split: (bytes) =>
              Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, at) => bytes.slice(at * size, (at + 1) * size)),
          });
          await Promise.all(
            wanted.map(async ({ there, back }) => {
              const { near, far } = await openOne(both);
              const said = there.map((length) => randomBytes(length));
              const answer = randomBytes(back);
              const heard = readAll(far);
              const answered = readAll(near);
              for (const bytes of said) near.write(bytes);
              near.end();
              far.end(answer);
              expect(hash(await heard)).toBe(hash(Buffer.concat(said)));
              expect(hash(await answered)).toBe(hash(answer));
            }),
          );
          expect(both.reasons).toEqual([]);
          await vi.waitFor(() => expect([both.inside.size, both.outside.size]).toEqual([0, 0]));
          both.inside.dispose();
          both.outside.dispose();
        }),
      ),
      { numRuns: effort.propertyRuns },
    );
  });

  it('lets a stream pass by another that nobody reads, which holds its window and no more', async () => {
    const both = ends();
    const stalled = await open(both, 'egress');
    let taken = 0;
    const flood = Buffer.alloc(MAX_PAYLOAD);
    const fill = (): void => {
      while (taken < 100 * flood.length) {
        taken += flood.length;
        if (!stalled.near.write(flood)) return;
      }
    };
    stalled.near.on('drain', fill);
    fill();
    const { near, far } = await open(both, 'agent');
    const bytes = randomBytes(8 * 2 ** 20);
    const heard = readAll(far);
    near.end(bytes);
    far.end();
    expect(hash(await heard)).toBe(hash(bytes));
    expect(stalled.far.readableLength).toBeLessThanOrEqual(FIRST_WINDOW + MAX_PAYLOAD);
    expect(taken).toBeLessThan(FIRST_WINDOW + 5 * MAX_PAYLOAD);
    // What is on its way is bounded by the way, not by what there is to send.
    expect(both.peak()).toBeLessThan(300_000);
    stalled.far.resume();
    await vi.waitFor(() => expect(taken).toBe(100 * flood.length));
    both.inside.dispose();
  });

  it('breaks the other end of a stream that breaks, and no other stream', async () => {
    const both = ends();
    const broken = await open(both, 'agent');
    const whole = await open(both, 'agent');
    const gone = new Promise((resolve) => broken.far.once('close', resolve));
    broken.near.write('half of something');
    broken.near.destroy();
    await gone;
    expect(broken.far.errored?.message).toContain('broke it off');
    whole.near.end('all of it');
    expect((await readAll(whole.far)).toString()).toBe('all of it');
    expect(both.reasons).toEqual([]);
    both.inside.dispose();
  });

  it('breaks all its streams when it ends', async () => {
    const both = ends();
    const { near } = await open(both, 'agent');
    both.inside.close('the engine went away');
    expect(near.destroyed).toBe(true);
    expect(both.reasons).toEqual(['inside: the engine went away']);
    expect(both.inside.open('agent')).toBeUndefined();
    both.outside.dispose();
  });

  it('takes only so many streams', async () => {
    const both = ends();
    await open(both, 'agent');
    for (let count = 1; count < MAX_STREAMS; count += 1) expect(both.inside.open('agent')).toBeDefined();
    expect(both.inside.open('agent')).toBeUndefined();
    both.inside.dispose();
    both.outside.dispose();
  });

  it('ends when the other end is silent, and not while it lives', async () => {
    const both = ends({ beatMs: 5 });
    await open(both, 'agent');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(both.reasons).toEqual([]);
    const lonely: string[] = [];
    const line = new Line({ send: () => true, beatMs: 5, onEnd: (reason) => lonely.push(reason) });
    await vi.waitFor(() => expect(lonely).toEqual(['the other end is silent']));
    expect(line.isReady).toBe(false);
    both.inside.dispose();
    both.outside.dispose();
  });

  it.each([
    ['another version', [encodeFrame({ type: 'hello', version: LINE_VERSION + 1 })]],
    ['no greeting', [encodeFrame({ type: 'ping' })]],
    ['two greetings', [greeting, greeting]],
    ['data of a stream that was never opened', [greeting, encodeFrame({ type: 'end', stream: 1 })]],
    ['a stream that exists', [greeting, ...[1, 1].map((stream) => encodeFrame({ type: 'open', stream, door: 'agent' }))]],
    [
      'more than the window',
      [
        greeting,
        encodeFrame({ type: 'open', stream: 1, door: 'agent' }),
        ...Array.from({ length: FIRST_WINDOW / MAX_PAYLOAD + 1 }, () =>
          encodeFrame({ type: 'data', stream: 1, bytes: new Uint8Array(MAX_PAYLOAD) }),
        ),
      ],
    ],
    [
      'data after the end',
      [
        greeting,
        encodeFrame({ type: 'open', stream: 1, door: 'agent' }),
        encodeFrame({ type: 'end', stream: 1 }),
        encodeFrame({ type: 'data', stream: 1, bytes: new Uint8Array(1) }),
      ],
    ],
    ['windows without measure', [greeting, encodeFrame({ type: 'open', stream: 1, door: 'agent' }), window(), window()]],
  ])('is over for one who sends %s', (_what, sent) => {
    const reasons: string[] = [];
    const line = new Line({ send: () => true, onOpen: () => undefined, onEnd: (reason) => reasons.push(reason) });
    for (const bytes of sent) line.receive(bytes);
    expect(reasons).toHaveLength(1);
    expect(line.size).toBe(0);
    line.receive(greeting);
    expect(reasons).toHaveLength(1);
  });

  it('survives whatever bytes come', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }), fc.boolean(), (chunks, isGreeted) => {
        const reasons: string[] = [];
        const line = new Line({ send: () => true, onOpen: () => undefined, onEnd: (reason) => reasons.push(reason) });
        if (isGreeted) line.receive(greeting);
        for (const chunk of chunks) line.receive(chunk);
        expect(reasons.length).toBeLessThanOrEqual(1);
        line.dispose();
        expect(reasons).toHaveLength(1);
      }),
      { numRuns: effort.propertyRuns * 4 },
    );
  });
});

function window(): Uint8Array {
  return encodeFrame({ type: 'window', stream: 1, bytes: 0xffff_ff00 });
}

/** Opens one of several at once: the far end is known by what is said first. */
async function openOne(both: Ends): Promise<{ near: Duplex; far: Duplex }> {
  await vi.waitFor(() => expect(both.inside.isReady && both.outside.isReady).toBe(true));
  const at = opening.get(both) ?? 0;
  opening.set(both, at + 1);
  const near = both.inside.open('agent');
  if (near === undefined) throw new Error('no stream');
  await vi.waitFor(() => expect(both.opened.length).toBeGreaterThan(at));
  const far = both.opened[at];
  if (far === undefined) throw new Error('no far end');
  return { near, far: far.stream };
}

const opening = new WeakMap<Ends, number>();
