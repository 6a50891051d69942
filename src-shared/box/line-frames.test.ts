import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import type { LineFrame } from './line-frames.ts';
import { encodeFrame, FrameReader, LineError, MAX_PAYLOAD } from './line-frames.ts';

const stream = fc.integer({ min: 1, max: 0xffff_ffff });
const number = fc.integer({ min: 0, max: 0xffff_ffff });
const anyFrame: fc.Arbitrary<LineFrame> = fc.oneof(
  number.map((version) => ({ type: 'hello' as const, version })),
  fc.record({ type: fc.constant('open' as const), stream, door: fc.constantFrom('launch' as const, 'agent', 'egress') }),
  fc.record({ type: fc.constant('data' as const), stream, bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
  fc.record({ type: fc.constantFrom('end' as const, 'reset' as const), stream }),
  fc.record({ type: fc.constant('window' as const), stream, bytes: number }),
  fc.constantFrom({ type: 'ping' as const }, { type: 'pong' as const }),
);

/** Everything that is read of bytes which come in pieces of these sizes, over and over. */
function read(bytes: Uint8Array, sizes: readonly number[]): LineFrame[] {
  const frames: LineFrame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  for (let at = 0, turn = 0; at < bytes.byteLength; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    const piece = bytes.slice(at, at + size);
    reader.push(piece);
    // What was lent is used for something else at once.
    piece.fill(0);
    at += size;
  }
  return frames;
}

const joined = (frames: readonly LineFrame[]): Uint8Array => Uint8Array.from(frames.flatMap((frame) => [...encodeFrame(frame)]));

describe('frames of a line', () => {
  it('are read as they were written, however the bytes are split', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 }),
        (frames, sizes) => {
          expect(read(joined(frames), sizes)).toEqual(frames);
        },
      ),
      { numRuns: effort.propertyRuns * 4 },
    );
  });

  it('carry the most that they may', () => {
    const frame: LineFrame = { type: 'data', stream: 7, bytes: new Uint8Array(MAX_PAYLOAD).fill(5) };
    expect(read(encodeFrame(frame), [1000])).toEqual([frame]);
    const longer = encodeFrame({ type: 'data', stream: 7, bytes: new Uint8Array(MAX_PAYLOAD + 1) });
    expect(() => read(longer, [9])).toThrow(`a frame of ${MAX_PAYLOAD + 1} bytes`);
  });

  it('are refused for good where they are none, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 5 }), fc.uint8Array({ minLength: 1, maxLength: 400 }), (frames, garbage) => {
        const found: LineFrame[] = [];
        const reader = new FrameReader((frame) => found.push(frame));
        reader.push(joined(frames));
        let failure: unknown;
        try {
          reader.push(garbage);
        } catch (error) {
          failure = error;
        }
        expect(found.slice(0, frames.length)).toEqual(frames);
        if (failure === undefined) return;
        expect(failure).toBeInstanceOf(LineError);
        const before = found.length;
        expect(() => reader.push(encodeFrame({ type: 'ping' }))).toThrow(LineError);
        expect(found).toHaveLength(before);
      }),
      { numRuns: effort.propertyRuns * 4 },
    );
  });

  it.each([
    ['an unknown type', [99, 0, 0, 0, 1, 0, 0, 0, 0]],
    ['data of no stream', [2, 0, 0, 0, 0, 0, 0, 0, 1, 65]],
    ['data of no bytes', [2, 0, 0, 0, 1, 0, 0, 0, 0]],
    ['a greeting on a stream', [0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]],
    ['a greeting without a version', [0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['a door that there is not', [1, 0, 0, 0, 1, 0, 0, 0, 3, 110, 101, 119]],
    ['an end that says more', [3, 0, 0, 0, 1, 0, 0, 0, 1, 0]],
    ['a length beyond all bounds', [2, 0, 0, 0, 1, 255, 255, 255, 255]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => read(Uint8Array.from(bytes), [3])).toThrow(LineError);
  });
});
