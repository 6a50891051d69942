/**
 * Which Host and Origin headers are accepted, on every route and every upgrade: a page of some other site that a browser
 * on this machine has open must not reach the core, also not by a name that it points at 127.0.0.1 (DNS rebinding).
 */
import type { IncomingMessage } from 'node:http';
import { AppError } from '#shared/kernel/errors.ts';

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
/** The origin of the desktop app's window. */
const APP_ORIGIN = 'app://bundle';

/** The names one server is reached by. */
export class HostRule {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /** `extra` are the names given with --allow-host; a proxy in front may use any port for them, so both forms count. */
  constructor(port: number, extra: readonly string[]) {
    const own = LOOPBACK_NAMES.map((name) => `${name}:${port}`);
    const others = extra.map((name) => name.toLowerCase()).flatMap((name) => [name, `${name}:${port}`]);
    this.#hosts = new Set([...own, ...others]);
    this.#origins = new Set([
      ...own.map((host) => `http://${host}`),
      ...others.flatMap((host) => [`http://${host}`, `https://${host}`]),
      APP_ORIGIN,
    ]);
  }

  /** Fails with FORBIDDEN on a foreign Host or Origin. */
  check(request: IncomingMessage): void {
    const host = request.headers.host?.toLowerCase();
    if (host === undefined || !this.#hosts.has(host)) {
      throw new AppError(
        'FORBIDDEN',
        `The Host "${shown(host)}" is not one of this server's names. Use 127.0.0.1 or localhost, or start Quarterdeck with --allow-host NAME.`,
      );
    }
    const { origin } = request.headers;
    if (origin !== undefined && !this.#origins.has(origin.toLowerCase())) {
      throw new AppError('FORBIDDEN', `Requests from pages of "${shown(origin)}" are not accepted.`);
    }
  }
}

/** Fails unless the request says that it comes from a page of this very server: what a browser sends for its own pages. */
export function requireSameOrigin(request: IncomingMessage): void {
  const { origin, host } = request.headers;
  const own = origin !== undefined && URL.canParse(origin) ? new URL(origin).host.toLowerCase() : undefined;
  if (own !== undefined && own === host?.toLowerCase()) return;
  throw new AppError(
    'FORBIDDEN',
    'A browser session may change things only from its own page: the Origin header is missing or names another server. Programs use "Authorization: Bearer <token>".',
  );
}

function shown(value: string | undefined): string {
  return (value ?? '').slice(0, 100);
}
