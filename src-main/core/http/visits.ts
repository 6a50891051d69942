/**
 * Everything that is open for a token: sockets, streams, requests. Invariant: when a token is revoked or expires, what is
 * open for it is closed, at once for a revocation and within `RECHECK_MS` for an expiry.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { DisposableStack, toDisposable } from '#shared/kernel/disposable.ts';
import type { Gatekeeper, Visitor } from './access.ts';

/** How often expiry is looked at, in milliseconds. */
const RECHECK_MS = 15_000;

interface Visit {
  readonly visitor: Visitor;
  readonly close: () => void;
}

/** Keeps what is open. */
export class Visits implements Disposable {
  readonly #open = new Set<Visit>();
  readonly #owned = new DisposableStack();
  readonly #gatekeeper: Gatekeeper;

  constructor(gatekeeper: Gatekeeper) {
    this.#gatekeeper = gatekeeper;
    this.#owned.add(gatekeeper.onRevoked((tokenId) => this.#closeWhere(({ principal }) => principal.tokenId === tokenId)));
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

  /** Registers something open; `close` must end it. Release it when it has ended by itself. */
  add(visitor: Visitor, close: () => void): Disposable {
    const visit: Visit = { visitor, close };
    this.#open.add(visit);
    return toDisposable(() => this.#open.delete(visit));
  }

  dispose(): void {
    this.#owned.dispose();
  }

  #closeWhere(isOver: (visitor: Visitor) => boolean): void {
    for (const visit of [...this.#open]) {
      if (!isOver(visit.visitor)) continue;
      this.#open.delete(visit);
      visit.close();
    }
  }
}
