import { describe, expect, it } from 'vitest';
import { fittingTabs } from './tabs.tsx';

describe('the tabs that fit into a row', () => {
  const widths = [60, 70, 80, 50];

  it('are all of them where there is room', () => {
    expect(fittingTabs(widths, 308, 0)).toBe(4);
    expect(fittingTabs(widths, 307, 0)).toBe(2);
  });

  it('leave room for the current one where that is beyond', () => {
    expect(fittingTabs(widths, 60 + 68, 0)).toBe(1);
    expect(fittingTabs(widths, 60 + 16 + 50 + 68, 3)).toBe(1);
    expect(fittingTabs(widths, 60 + 16 + 50 + 67, 3)).toBe(0);
  });
});
