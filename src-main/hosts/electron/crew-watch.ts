/**
 * What the shell knows of the crew, for tray, menus and notifications: the same state and the same derivation as the
 * window's, followed through the same contract, so that they also hold while no window is open.
 */
import type { ContractRouterClient } from '@orpc/contract';
import type { AttentionItem, FleetFigures } from '#shared/attention/attention.ts';
import { attentionOf, fleetOf } from '#shared/attention/attention.ts';
import type { Contract } from '#shared/contract.ts';
import type { FollowItem, JournalEvent } from '#shared/journal/model.ts';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Settings } from '#shared/settings/model.ts';
import type { CrewState } from '#shared/state.ts';
import { applyEvent, EMPTY_STATE } from '#shared/state.ts';

/** Bursts of messages are looked at together, in milliseconds. */
const GATHER_MS = 100;
/** Pages of the inbox, and how many of them: a person is not told of more questions than these. */
const INBOX_PAGE = 200;
const INBOX_PAGES = 5;

/** The calls that are used. */
export type CrewClient = Pick<ContractRouterClient<Contract>, 'journal' | 'messages'>;

/** The crew at one moment. */
export interface CrewView {
  readonly settings: Settings;
  readonly agents: CrewState['agents'];
  /** What needs or needed the operator, newest first. */
  readonly items: readonly AttentionItem[];
  readonly fleet: FleetFigures;
}

/** The view before anything is known. */
export const NO_VIEW: CrewView = {
  settings: EMPTY_STATE.settings,
  agents: {},
  items: [],
  fleet: { mood: 'off', needs: 0, agents: 0, alive: 0, byStatus: {} },
};

/** What a watch is made of. */
export interface CrewWatchOptions {
  readonly client: CrewClient;
  readonly onView: (view: CrewView) => void;
  readonly log: (message: string, error: unknown) => void;
  readonly now?: () => number;
}

/** Follows the crew until it is disposed. Whoever makes it calls `run` once. */
export class CrewWatch implements Disposable {
  readonly #options: CrewWatchOptions;
  readonly #end = new AbortController();
  readonly #answered = new Set<string>();
  #state: CrewState = EMPTY_STATE;
  #inbox: readonly InboxMessage[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isStale = false;

  constructor(options: CrewWatchOptions) {
    this.#options = options;
  }

  dispose(): void {
    this.#end.abort();
    clearTimeout(this.#gathering);
  }

  /** Follows, and goes on after any failure, until `dispose`. */
  async run(): Promise<void> {
    const { signal } = this.#end;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#follow(signal);
        attempt = 0;
      } catch (error) {
        if (!signal.aborted) this.#options.log('the shell lost sight of the crew and looks again', error);
      }
      await pause(backoffMs(RECONNECT, attempt), signal);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    this.#state = await client.journal.snapshot({}, { signal });
    const stream = await client.journal.follow({ after: this.#state.seq }, { signal });
    await this.#lookAtInbox();
    for await (const item of stream) this.#take(item);
  }

  #take(item: FollowItem): void {
    if (item.type === 'deliveries') {
      if (item.changes.some(({ recipient }) => recipient === OPERATOR)) this.#askForInbox();
      return;
    }
    if (item.type === 'events') for (const event of item.events) this.#apply(event);
    // A heartbeat moves the clock: questions expire.
    this.#tell();
  }

  #apply(event: JournalEvent): void {
    this.#state = applyEvent(this.#state, event);
    if (event.kind !== 'message.sent') return;
    const { message } = event.data;
    if (message.from.kind === 'operator' && message.inReplyTo !== null) this.#answered.add(message.inReplyTo);
    if (message.recipients.includes(OPERATOR)) this.#askForInbox();
  }

  #askForInbox(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#lookAtInbox().catch((error: unknown) => {
        if (!this.#end.signal.aborted) this.#options.log("the operator's inbox could not be read", error);
      });
    }, GATHER_MS);
  }

  /** Reads the inbox; when something came while it was read, once more. */
  async #lookAtInbox(): Promise<void> {
    if (this.#isLooking) {
      this.#isStale = true;
      return;
    }
    this.#isLooking = true;
    try {
      do {
        this.#isStale = false;
        this.#inbox = await this.#readInbox();
      } while (this.#isStale);
    } finally {
      this.#isLooking = false;
    }
    this.#tell();
  }

  async #readInbox(): Promise<readonly InboxMessage[]> {
    const { signal } = this.#end;
    const all: InboxMessage[] = [];
    for (let page = 0; page < INBOX_PAGES; page += 1) {
      const after = all.at(-1)?.id;
      const { messages, unread } = await this.#options.client.messages.inbox(
        { unreadOnly: true, limit: INBOX_PAGE, ...(after === undefined ? {} : { after }) },
        { signal },
      );
      all.push(...messages);
      if (messages.length === 0 || all.length >= unread) break;
    }
    return all;
  }

  #tell(): void {
    if (this.#end.signal.aborted) return;
    const { agents, settings, enrolments } = this.#state;
    const items = attentionOf({
      agents,
      enrolments,
      inbox: this.#inbox,
      answered: this.#answered,
      dismissed: settings.dismissed,
      now: (this.#options.now ?? Date.now)(),
    });
    this.#options.onView({ settings, agents, items, fleet: fleetOf(agents, items) });
  }
}

/** Waits so long, or until the signal. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
