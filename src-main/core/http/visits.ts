/**
 * Everything that is open for a token: sockets, streams, requests. Invariant: when a token is revoked or expires, what is
 * open for it is closed, at once for a revocation and within `RECHECK_MS` for an expiry. So it is when the token gets another
 * role, unless what is open goes by the role of the moment.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { DisposableStack, toDisposable } from '#shared/kernel/disposable.ts';
import type { Gatekeeper, Visitor } from './access.ts';

/** How often expiry is looked at, in milliseconds. */
const RECHECK_MS = 15_000;

interface Visit {
  readonly visitor: Visitor;
  readonly close: () => void;
  readonly goesByRole: boolean;
}

/** Keeps what is open. */
export class Visits implements Disposable {
  readonly #open = new Set<Visit>();
  readonly #owned = new DisposableStack();
  readonly #gatekeeper: Gatekeeper;

  constructor(gatekeeper: Gatekeeper) {
    this.#gatekeeper = gatekeeper;
    this.#owned.add(gatekeeper.onRevoked((tokenId) => this.#closeWhere(({ principal }) => principal.tokenId === tokenId)));
    this.#owned.add(
      gatekeeper.onRoleChanged((tokenId) =>
        this.#closeWhere(({ principal }, goesByRole) => principal.tokenId === tokenId && !goesByRole),
      ),
    );
    const timer = setInterval(
      () =>
        this.#closeWhere(({ secret, until }) =>
          until === undefined ? this.#gatekeeper.principalOf(secret) === undefined : until <= Date.now(),
        ),
      RECHECK_MS,
    );
    timer.unref();
    this.#owned.add(toDisposable(() => clearInterval(timer)));
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Registers something open; `close` must end it. `goesByRole`: it asks for the role at each call, and may stay when that
   * changes. Release it when it has ended by itself.
   */
  add(visitor: Visitor, close: () => void, goesByRole = false): Disposable {
    const visit: Visit = { visitor, close, goesByRole };
    this.#open.add(visit);
    return toDisposable(() => this.#open.delete(visit));
  }

  dispose(): void {
    this.#owned.dispose();
  }

  #closeWhere(isOver: (visitor: Visitor, goesByRole: boolean) => boolean): void {
    for (const visit of [...this.#open]) {
      if (!isOver(visit.visitor, visit.goesByRole)) continue;
      this.#open.delete(visit);
      visit.close();
    }
  }
}
