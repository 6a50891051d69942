/** POST /login {code}: exchanges a one-time login code for a browser's session cookie. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { AppError } from '#shared/kernel/errors.ts';
import type { Gatekeeper } from './access.ts';
import { sessionCookieName } from './access.ts';
import { readJson } from './body.ts';
import { requireSameOrigin } from './hosts.ts';
import { sendJson } from './respond.ts';

/** Failed logins that one address may make within `WINDOW_MS`. */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Addresses remembered at once. */
const MAX_ADDRESSES = 1_000;
/** A login is a few dozen bytes. */
const MAX_LOGIN_BYTES = 4_096;

const Login = z.strictObject({ code: z.string().min(1).max(200) });

/** Logs browsers in. */
export class LoginDoor {
  readonly #gatekeeper: Gatekeeper;
  readonly #now: () => number;
  readonly #failures = new Map<string, { count: number; since: number }>();

  constructor(gatekeeper: Gatekeeper, now: () => number = Date.now) {
    this.#gatekeeper = gatekeeper;
    this.#now = now;
  }

  /** Answers one login. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requireSameOrigin(request);
    const source = request.socket.remoteAddress ?? '';
    this.#requireCalm(source);
    const body = Login.safeParse(await readJson(request, response, MAX_LOGIN_BYTES));
    if (!body.success) throw new AppError('BAD_REQUEST', 'Send {"code": "<the code of the login link>"}.');
    const session = await this.#gatekeeper.redeemLoginCode(body.data.code);
    if (session === undefined) {
      this.#countFailure(source);
      throw new AppError(
        'UNAUTHORIZED',
        'This login link was used before or is too old. Make a new one with "quarterdeck open", or restart Quarterdeck and open the link that it prints.',
      );
    }
    const maxAge = Math.max(0, Math.floor((session.expiresAt - this.#now()) / 1_000));
    response.setHeader(
      'set-cookie',
      `${sessionCookieName(request.socket.localPort)}=${session.secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${maxAge}`,
    );
    sendJson(response, 200, { expiresAt: session.expiresAt });
  }

  #requireCalm(source: string): void {
    const failures = this.#failures.get(source);
    if (failures === undefined) return;
    const waitMs = failures.since + WINDOW_MS - this.#now();
    if (waitMs <= 0) this.#failures.delete(source);
    else if (failures.count >= MAX_FAILURES) {
      const retryAfterSeconds = Math.ceil(waitMs / 1_000);
      throw new AppError('TOO_MANY_REQUESTS', `Too many failed logins. Try again in ${retryAfterSeconds} s.`, {
        data: { retryAfterSeconds },
      });
    }
  }

  #countFailure(source: string): void {
    const failures = this.#failures.get(source);
    if (failures !== undefined) failures.count += 1;
    else {
      const oldest = this.#failures.size >= MAX_ADDRESSES ? this.#failures.keys().next().value : undefined;
      if (oldest !== undefined) this.#failures.delete(oldest);
      this.#failures.set(source, { count: 1, since: this.#now() });
    }
  }
}
