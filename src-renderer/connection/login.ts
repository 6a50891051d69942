/** Logging a browser in with a one-time link. */

/** What became of the login link in the address, if there was one. */
export type LoginOutcome = 'none' | 'accepted' | 'refused' | 'unreachable';

/** The code of a login link, from the fragment of an address; undefined when there is none. */
export function loginCodeOf(hash: string): string | undefined {
  const code = new URLSearchParams(hash.replace(/^#/, '')).get('login');
  return code === null || code === '' ? undefined : code;
}

/** The parts of a window that are used. */
export interface LoginPage {
  readonly location: { readonly hash: string; readonly pathname: string; readonly search: string };
  readonly history: { replaceState(data: unknown, unused: string, url: string): void };
}

/**
 * Redeems the login link in the address. The code leaves the address before it is used: it must not stay in the
 * history or be copied along with the link.
 */
export async function redeemLoginLink(
  page: LoginPage,
  post: (path: string, body: string) => Promise<{ status: number }>,
): Promise<LoginOutcome> {
  const code = loginCodeOf(page.location.hash);
  if (code === undefined) return 'none';
  page.history.replaceState(null, '', page.location.pathname + page.location.search);
  try {
    const { status } = await post('/login', JSON.stringify({ code }));
    return status >= 200 && status < 300 ? 'accepted' : 'refused';
  } catch {
    return 'unreachable';
  }
}
