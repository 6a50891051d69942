import { describe, expect, it } from 'vitest';
import { afterCrash, diagnosticsOf } from './crash-recovery.ts';
import { troublePage } from './trouble-page.ts';

const crash = (at: number) => ({ at, reason: 'crashed', exitCode: 139 });

describe('recovery after a crash', () => {
  it('waits longer each time and gives up after three', () => {
    expect(afterCrash([crash(0)], 0)).toEqual({ waitMs: 500 });
    expect(afterCrash([crash(0), crash(1_000)], 1_000)).toEqual({ waitMs: 2_000 });
    expect(afterCrash([crash(0), crash(1_000), crash(4_000)], 4_000)).toEqual({ waitMs: 8_000 });
    expect(afterCrash([crash(0), crash(1_000), crash(4_000), crash(13_000)], 13_000)).toBe('give-up');
  });

  it('forgets what was ten minutes ago', () => {
    expect(afterCrash([crash(0), crash(1_000), crash(2_000), crash(700_000)], 700_000)).toEqual({ waitMs: 500 });
  });

  it('says what happened on a page without any script, and nothing of it as markup', () => {
    const diagnostics = diagnosticsOf([crash(0)], { version: '1 <b>', 'data folder': '/a&b' });
    expect(diagnostics).toContain('1970-01-01T00:00:00.000Z crashed (exit code 139)');
    const page = troublePage({ diagnostics, isCopied: true });
    expect(page).toContain('1 &lt;b&gt;');
    expect(page).toContain('/a&amp;b');
    expect(page).not.toContain('<script');
  });
});
