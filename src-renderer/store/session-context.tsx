import { createContext, use } from 'react';
import { useStore } from 'zustand';
import type { WindowSession } from './window-session.ts';
import type { WindowState } from './window-state.ts';

/** The session of this window; set once, by main.tsx. */
export const SessionContext = createContext<WindowSession | undefined>(undefined);

/** The session of this window. */
export function useSession(): WindowSession {
  const session = use(SessionContext);
  if (session === undefined) throw new Error('SessionContext is missing above this component.');
  return session;
}

/** A part of what the window knows. `select` must return the same value for the same state. */
export function useWindowState<T>(select: (state: WindowState) => T): T {
  return useStore(useSession().store, select);
}
