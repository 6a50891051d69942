/** Makes one terminal for a box on the page, and another when another is wanted. */
import { useEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { useSession } from '#renderer/store/session-context.tsx';
import { loadCodeFaces } from '#renderer/ui/code-faces.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { ScreenAsks, ScreenState } from './screen-state.ts';
import { hasKeyboard, OPENING } from './screen-state.ts';
import { TerminalScreen } from './terminal-screen.ts';

/** Which terminal is wanted, and how. */
export interface TerminalWish {
  readonly agentId: AgentId;
  /** Changes with every start of the agent: a new start is a new terminal. */
  readonly runId: string;
  readonly window: string;
  readonly fontSize: number;
  readonly isForScreenReader: boolean;
  readonly asks: ScreenAsks;
}

interface ShownTerminal {
  /** Where it is drawn. */
  readonly box: RefObject<HTMLDivElement | null>;
  /** Undefined until the fonts are there. */
  readonly screen: TerminalScreen | undefined;
  readonly state: ScreenState;
  /** Opens it anew, after it ended for this page only. */
  readonly reopen: () => void;
}

const NOTHING = createStore<ScreenState>(() => OPENING);

declare global {
  interface Window {
    /** The text of the terminal on the page, history included. What is drawn cannot be read back from the page. */
    quarterdeckTerminalText?: () => string;
    /** The lines that are in sight. */
    quarterdeckTerminalShown?: () => string;
  }
}

function exposeForTests(shown: TerminalScreen): void {
  window.quarterdeckTerminalText = () => shown.text();
  window.quarterdeckTerminalShown = () => shown.shown();
}

/** The terminal that is wanted. */
export function useTerminalScreen(wish: TerminalWish): ShownTerminal {
  const { terminals } = useSession();
  const { agentId, runId, window: name, fontSize, isForScreenReader } = wish;
  const box = useRef<HTMLDivElement>(null);
  const [screen, setScreen] = useState<TerminalScreen>();
  const [tries, setTries] = useState(0);
  // Who has the keyboard keeps it when going to another window of the same agent.
  const hadKeyboard = useRef(false);
  const newest = useRef(wish);
  useEffect(() => {
    newest.current = wish;
  });

  useEffect(() => {
    let isGone = false;
    let made: TerminalScreen | undefined;
    // The size of a cell is measured once, at the start: in the right face.
    loadCodeFaces()
      .catch(() => undefined)
      .then(() => {
        if (isGone || !box.current) return;
        made = new TerminalScreen({
          box: box.current,
          link: terminals,
          agentId,
          window: name,
          fontSize: newest.current.fontSize,
          isForScreenReader: newest.current.isForScreenReader,
          takesControl: hadKeyboard.current,
          asks: {
            onToggleControl: () => newest.current.asks.onToggleControl(),
            onSearch: () => newest.current.asks.onSearch(),
            onZoom: (step) => newest.current.asks.onZoom(step),
          },
        });
        if (hadKeyboard.current) made.focus();
        exposeForTests(made);
        setScreen(made);
      })
      .catch(() => undefined);
    return () => {
      isGone = true;
      hadKeyboard.current = made !== undefined && hasKeyboard(made.state.getState());
      made?.dispose();
      setScreen(undefined);
    };
  }, [terminals, agentId, runId, name, tries]);

  useEffect(() => screen?.setFontSize(fontSize), [screen, fontSize]);
  useEffect(() => screen?.setForScreenReader(isForScreenReader), [screen, isForScreenReader]);
  const state = useStore(screen?.state ?? NOTHING);
  return { box, screen, state, reopen: () => setTries(tries + 1) };
}
