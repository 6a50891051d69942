/** Tells connections that stay open when their tools are others: the role of their token has changed. */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import type { TokenId } from '#shared/kernel/ids.ts';

/** Who knows of changed roles. */
export interface RoleSource {
  onRoleChanged(listener: (tokenId: TokenId) => void): Disposable;
}

/** The open connections of tokens whose role may change. */
export class ToolChanges implements Disposable {
  /** Without a token: of any. */
  readonly #open = new Set<{ readonly tokenId?: TokenId; readonly tell: () => void }>();
  readonly #subscription: Disposable;

  constructor(source: RoleSource) {
    this.#subscription = source.onRoleChanged((tokenId) => {
      for (const each of [...this.#open]) if (each.tokenId === undefined || each.tokenId === tokenId) each.tell();
    });
  }

  /** Calls `tell` at every change for a token, until the returned disposable is released. */
  register(tokenId: TokenId, tell: () => void): Disposable {
    return this.#add({ tokenId, tell });
  }

  /** Calls `tell` at every change for any token. */
  registerForAll(tell: () => void): Disposable {
    return this.#add({ tell });
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#open.clear();
  }

  #add(entry: { readonly tokenId?: TokenId; readonly tell: () => void }): Disposable {
    this.#open.add(entry);
    return toDisposable(() => this.#open.delete(entry));
  }
}
