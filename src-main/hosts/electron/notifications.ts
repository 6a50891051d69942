/**
 * Notifications of the desktop: one per cause, taken away when the cause is gone. Where the desktop cannot show them
 * nothing is lost: the window's notification centre lists every item.
 */
import { Notification } from 'electron';
import type { AttentionItem } from '#shared/attention/attention.ts';
import { actionsOf, isToldOf, pathOfItem } from '#shared/attention/notification-rules.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { CrewView } from './crew-watch.ts';

/** What notifications lead to. */
export interface NotificationHost {
  /** The path that a window shows to the operator now; undefined when none has the focus. */
  focusedPath(): string | undefined;
  open(path: string): void;
  restart(agentId: string): void;
  log(message: string): void;
}

/** Tells the desktop what needs the operator. */
export class Notifications implements Disposable {
  readonly #host: NotificationHost;
  readonly #shown = new Map<string, Notification>();
  /** Causes that were looked at already, told or not. undefined before the first view: what waits then is not news. */
  #known: ReadonlySet<string> | undefined;
  #hasFailed = false;

  constructor(host: NotificationHost) {
    this.#host = host;
  }

  /** Takes the newest view. */
  update(view: CrewView): void {
    const open = view.items.filter(({ needsOperator }) => needsOperator);
    const ids = new Set(open.map(({ id }) => id));
    for (const [id, notification] of this.#shown) {
      if (ids.has(id)) continue;
      this.#shown.delete(id);
      notification.close();
    }
    const known = this.#known;
    this.#known = ids;
    if (known === undefined) return;
    const moment = { settings: view.settings.notifications, now: new Date(), focusedPath: this.#host.focusedPath() };
    for (const item of open) if (!known.has(item.id) && isToldOf(item, moment)) this.#show(item);
  }

  dispose(): void {
    for (const notification of this.#shown.values()) notification.close();
    this.#shown.clear();
  }

  #show(item: AttentionItem): void {
    if (!Notification.isSupported()) {
      this.#fail('this desktop shows no notifications');
      return;
    }
    const actions = actionsOf(item);
    const notification = new Notification({
      id: item.id,
      groupId: item.agentId,
      title: item.title,
      body: item.detail,
      urgency: 'normal',
      // A question waits for an answer: it does not go by itself where the desktop lets it stay.
      timeoutType: item.kind === 'question' ? 'never' : 'default',
      actions: actions.map(({ text }) => ({ type: 'button', text })),
    });
    // Kept, because one that is collected answers to nothing any more.
    this.#shown.set(item.id, notification);
    notification.on('click', () => this.#host.open(pathOfItem(item)));
    notification.on('action', ({ actionIndex }) => {
      if (actions[actionIndex]?.action === 'restart') this.#host.restart(item.agentId);
      else this.#host.open(pathOfItem(item));
    });
    notification.on('close', () => {
      if (this.#shown.get(item.id) === notification) this.#shown.delete(item.id);
    });
    notification.on('failed', (_event, error) => this.#fail(error));
    notification.show();
  }

  /** Said once: a desktop that refuses one refuses all. */
  #fail(why: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#host.log(`the desktop did not show a notification (${why}); the window lists everything`);
  }
}
