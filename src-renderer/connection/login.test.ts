import { describe, expect, it } from 'vitest';
import type { LoginPage } from './login.ts';
import { loginCodeOf, redeemLoginLink } from './login.ts';

function page(hash: string): { window: LoginPage; replaced: string[] } {
  const replaced: string[] = [];
  const history = { replaceState: (_data: unknown, _unused: string, url: string) => replaced.push(url) };
  return { window: { history, location: { hash, pathname: '/', search: '?x=1' } }, replaced };
}

describe('redeemLoginLink', () => {
  it('reads the code of a login link and of nothing else', () => {
    expect(loginCodeOf('#login=abc-_1')).toBe('abc-_1');
    expect(loginCodeOf('#login=')).toBeUndefined();
    expect(loginCodeOf('#agents')).toBeUndefined();
    expect(loginCodeOf('')).toBeUndefined();
  });

  it('takes the code out of the address before it is used, and says what came of it', async () => {
    for (const [status, outcome] of [
      [204, 'accepted'],
      [401, 'refused'],
      [500, 'refused'],
    ] as const) {
      const { window, replaced } = page('#login=abc');
      const posts: unknown[] = [];
      const result = await redeemLoginLink(window, (path, body) => {
        expect(replaced).toEqual(['/?x=1']);
        posts.push([path, body]);
        return Promise.resolve({ status });
      });
      expect(result).toBe(outcome);
      expect(posts).toEqual([['/login', '{"code":"abc"}']]);
    }
  });

  it('does nothing without a code, and says when the core did not answer', async () => {
    const none = page('#agents');
    expect(await redeemLoginLink(none.window, () => Promise.reject(new Error('not to be called')))).toBe('none');
    expect(none.replaced).toEqual([]);
    expect(await redeemLoginLink(page('#login=abc').window, () => Promise.reject(new Error('down')))).toBe('unreachable');
  });
});
