/**
 * Tells connected agents that there is mail: a hint for those who do not wait for it. The mail itself stays where it is until
 * they take it.
 * Invariant: after a hint an agent hears nothing more until it looks, and nothing while it has work in hand: a hint is for
 * whoever is idle.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { DeliveryState } from '#shared/messages/model.ts';

/** The method of the notification. Clients that do not know it ignore it. */
export const MAIL_NOTIFICATION = 'notifications/quarterdeck/mail';

/** What a hint says. */
export interface MailHint {
  /** Unread messages in the inbox. */
  readonly unread: number;
}

/** What is known of inboxes. */
export interface WakeUpSource {
  onDeliveries(listener: (changes: readonly { readonly recipient: string; readonly state: DeliveryState }[]) => void): Disposable;
  onActivity(
    listener: (activity: { readonly recipient: string; readonly kind: string; readonly held: number }) => void,
  ): Disposable;
  unreadOf(recipient: string): number;
  heldBy(recipient: string): number;
}

type Listener = (hint: MailHint) => void;

/** Gives hints to whoever is connected. */
export class WakeUps implements Disposable {
  readonly #source: WakeUpSource;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Had a hint and did not look since. */
  readonly #told = new Set<string>();
  /** Got mail while they had work in hand. */
  readonly #later = new Set<string>();
  readonly #subscriptions: readonly Disposable[];

  constructor(source: WakeUpSource) {
    this.#source = source;
    this.#subscriptions = [
      source.onDeliveries((changes) => {
        for (const { recipient, state } of changes) if (state === 'queued') this.#onMail(recipient);
      }),
      source.onActivity(({ recipient, held }) => this.#onLook(recipient, held)),
    ];
  }

  /** Tells `listener` of mail for an agent until the returned disposable is released. */
  register(agentId: AgentId, listener: Listener): Disposable {
    const listeners = this.#listeners.get(agentId) ?? new Set();
    this.#listeners.set(agentId, listeners.add(listener));
    return {
      dispose: () => {
        listeners.delete(listener);
        if (listeners.size > 0 || this.#listeners.get(agentId) !== listeners) return;
        this.#listeners.delete(agentId);
        // Whoever connects again is told again.
        this.#told.delete(agentId);
        this.#later.delete(agentId);
      },
    };
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#listeners.clear();
  }

  #onMail(recipient: string): void {
    const listeners = this.#listeners.get(recipient);
    if (listeners === undefined || this.#told.has(recipient)) return;
    if (this.#source.heldBy(recipient) > 0) {
      this.#later.add(recipient);
      return;
    }
    this.#told.add(recipient);
    const hint = { unread: this.#source.unreadOf(recipient) };
    for (const listener of listeners) listener(hint);
  }

  #onLook(recipient: string, held: number): void {
    this.#told.delete(recipient);
    if (held === 0 && this.#later.delete(recipient) && this.#source.unreadOf(recipient) > 0) this.#onMail(recipient);
  }
}
