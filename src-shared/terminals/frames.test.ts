import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  HIGH_WATER_BYTES,
  HistoryPayload,
  LOW_WATER_BYTES,
  MAX_FRAME_BYTES,
  OpenPayload,
  ServerFrame,
  SizePayload,
  TakePayload,
  TilePayload,
  decodeAck,
  decodeFrame,
  encodeAck,
  encodeFrame,
} from './frames.ts';

const runs = { numRuns: effort.propertyRuns };

describe('frames', () => {
  it('come back as they were, also from the middle of a larger buffer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat({ max: 20 }),
        (type, channel, payload, offset) => {
          const bytes = encodeFrame(type, channel, payload);
          expect(bytes).toHaveLength(5 + payload.length);
          const larger = new Uint8Array(bytes.length + offset + 3).fill(0xee);
          larger.set(bytes, offset);
          const frame = decodeFrame(larger.subarray(offset, offset + bytes.length));
          expect([frame?.type, frame?.channel, [...(frame?.payload ?? [])]]).toEqual([type, channel, [...payload]]);
        },
      ),
      runs,
    );
  });

  it('that are too short or too long are none, and any other bytes are one', () => {
    for (let length = 0; length < 5; length += 1) expect(decodeFrame(new Uint8Array(length))).toBeUndefined();
    expect(decodeFrame(new Uint8Array(5))).toEqual({ type: 0, channel: 0, payload: new Uint8Array(0) });
    expect(decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 5))?.payload).toHaveLength(MAX_FRAME_BYTES);
    expect(decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 6))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 100 }), (bytes) => {
        const frame = decodeFrame(bytes);
        expect(encodeFrame(frame?.type ?? -1, frame?.channel ?? -1, frame?.payload ?? new Uint8Array())).toEqual(
          new Uint8Array(bytes),
        );
      }),
      runs,
    );
  });

  it('have types that are told apart', () => {
    const types = [...Object.values(ClientFrame), ...Object.values(ServerFrame)];
    expect(new Set(types).size).toBe(types.length);
  });
});

describe('acknowledgements', () => {
  it('come back as they were; malformed ones count nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (bytes) => {
        expect(decodeAck(encodeAck(bytes))).toBe(bytes);
      }),
      runs,
    );
    for (const length of [0, 3, 5]) expect(decodeAck(new Uint8Array(length).fill(1))).toBe(0);
  });

  it('are sent early enough that neither side waits for the other', () => {
    expect(ACK_EVERY_BYTES).toBeLessThanOrEqual(LOW_WATER_BYTES);
    expect(LOW_WATER_BYTES).toBeLessThan(HIGH_WATER_BYTES);
  });
});

describe('payloads', () => {
  it('are checked', () => {
    expect(OpenPayload.parse({ agentId: 'a', cols: 80, rows: 24 })).toEqual({
      agentId: 'a',
      window: 'main',
      cols: 80,
      rows: 24,
      historyLines: 0,
      tier: 'live',
      control: 'watch',
    });
    for (const wrong of [
      {},
      { agentId: 'A', cols: 80, rows: 24 },
      { agentId: 'a', cols: 9, rows: 24 },
      { agentId: 'a', cols: 80, rows: 24, historyLines: -1 },
      { agentId: 'a', cols: 80, rows: 24, tier: 'wall' },
      { agentId: 'a', cols: 80, rows: 24, control: true },
      null,
    ]) {
      expect(OpenPayload.safeParse(wrong).success).toBe(false);
    }
    expect(SizePayload.safeParse({ cols: 501, rows: 24 }).success).toBe(false);
    expect(SizePayload.safeParse({ cols: 80.5, rows: 24 }).success).toBe(false);
    expect(TakePayload.parse({})).toEqual({ force: false });
    for (const lines of [0, 10_001, 1.5]) expect(HistoryPayload.safeParse({ lines }).success).toBe(false);
    const tile = { rows: [[], [['a'], ['漢', { fg: 9, bg: '#00ff7f', bold: true }]]], cols: 80, cursor: { row: 1, col: 3 } };
    expect(TilePayload.parse(tile)).toEqual(tile);
    for (const style of [{ fg: 256 }, { fg: 'red' }, { bold: false }]) {
      expect(TilePayload.safeParse({ ...tile, rows: [[['a', style]]] }).success).toBe(false);
    }
  });
});
