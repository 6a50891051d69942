/**
 * What can be done now: every mounted screen puts its commands here, and takes them away when it goes. One list serves
 * the shortcuts, the palette and the sheet of shortcuts.
 */
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

/** Something a person can do. */
export interface Command {
  /** Unique among all that are there at one time, for example `agent.stop`. */
  readonly id: string;
  /** What it does, in the imperative. */
  readonly title: string;
  /** Its shortcut, as in ./keys.ts. */
  readonly keys?: string;
  /** true: works by its keys and stands in the sheet, but not in the palette (moving about in a list). */
  readonly isHidden?: boolean;
  /** true: works also while somebody types into a field or a menu is open, not in a dialog. Only for shortcuts with Ctrl or Alt. */
  readonly isGlobal?: boolean;
  readonly run: () => void;
}

/** The commands of one screen. */
export interface CommandScope {
  readonly title: string;
  readonly commands: readonly Command[];
}

/** The scopes that are there, the one that came last first: it wins where two use one key. */
export class CommandRegistry {
  readonly store: StoreApi<{ readonly scopes: readonly CommandScope[] }> = createStore(() => ({ scopes: [] }));

  /** Adds a scope; the returned function takes it away. */
  add(scope: CommandScope): () => void {
    this.store.setState(({ scopes }) => ({ scopes: [scope, ...scopes] }));
    return () => this.store.setState(({ scopes }) => ({ scopes: scopes.filter((one) => one !== scope) }));
  }

  /** Every command, those of the newest scope first. */
  all(): Command[] {
    return this.store.getState().scopes.flatMap(({ commands }) => commands);
  }
}
