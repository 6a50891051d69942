/** What this window knows, and the one store that holds it. */
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { ConnectionStatus } from '#renderer/connection/connection.ts';
import type { LoginOutcome } from '#renderer/connection/login.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import type { CrewState } from '#shared/state.ts';
import { EMPTY_STATE } from '#shared/state.ts';

/** What this window knows. */
export interface WindowState {
  readonly status: ConnectionStatus;
  /** What became of the last login link in the address. */
  readonly loginOutcome: LoginOutcome;
  readonly crew: CrewState;
  /** Whether a snapshot ever came: before that nothing can be said about the crew. */
  readonly hasCrew: boolean;
  /** The operator's unread messages, most urgent first, as far as one page goes. */
  readonly inbox: readonly InboxMessage[];
  /** Whether the inbox ever came: before that nothing can be said about questions. */
  readonly hasInbox: boolean;
  /** Messages that the operator has answered while this window looked, through whatever door. */
  readonly answered: ReadonlySet<string>;
  /** Messages that are not acknowledged, by inbox; who has none is missing. */
  readonly unread: Readonly<Record<string, number>>;
}

/** The one store of a window. */
export type WindowStore = StoreApi<WindowState>;

/** A store that knows nothing yet. */
export function createWindowStore(): WindowStore {
  return createStore<WindowState>()(() => ({
    status: { kind: 'connecting' },
    loginOutcome: 'none',
    crew: EMPTY_STATE,
    hasCrew: false,
    inbox: [],
    hasInbox: false,
    answered: new Set(),
    unread: {},
  }));
}
