import { describe, expect, it } from 'vitest';
import { liftFor } from './toast-clearance.ts';

const size = { width: 1024, height: 700 };
const box = (top: number, over: object = {}): Parameters<typeof liftFor>[0][number] => ({
  top,
  right: 1024,
  bottom: 700,
  width: 348,
  ...over,
});

describe('toasts at the lower edge', () => {
  it('stand above the highest part that they would cover', () => {
    expect(liftFor([], size)).toBe(0);
    expect(liftFor([box(660), box(520)], size)).toBe(180);
  });

  it('are not moved by what is hidden, elsewhere, or would send them to the top', () => {
    const others = [box(520, { width: 0 }), box(520, { right: 600 }), box(80, { bottom: 120 }), box(100)];
    expect(liftFor(others, size)).toBe(0);
    expect(liftFor([...others, box(660)], size)).toBe(40);
  });
});
