import { useCallback, useState } from 'react';
import { pageStorage } from '#renderer/store/page-storage.ts';
import type { Answered, Draft } from './drafts.ts';
import { keepDraft, keptDraft, newDraft } from './drafts.ts';

/** The draft of a place as React sees it. */
export interface DraftState {
  readonly draft: Draft;
  /** Changes it, and keeps it. */
  readonly change: (changes: Partial<Draft>) => void;
  /** Puts another one in its place: after sending, or when one comes back. */
  readonly replace: (draft: Draft) => void;
  /** Changes the draft of a new message, also while an answer is still being written: whoever calls it gives that up. */
  readonly changeNew: (changes: (draft: Draft) => Partial<Draft>) => void;
}

/** The draft of a new message of a screen, or of the answer to a message: each is kept by itself. */
export function useDraft(screen: string, answered: Answered | undefined, to: readonly string[]): DraftState {
  const place = answered === undefined ? newPlace(screen) : `reply.${answered.id}`;
  const targets = answered?.to ?? to;
  const [state, setState] = useState(() => ({ place, draft: opened(place, targets) }));
  // Another place: what was written there comes back, at once and not one paint later.
  let { draft } = state;
  if (state.place !== place) {
    draft = opened(place, targets);
    setState({ place, draft });
  }
  const replace = useCallback(
    (next: Draft): void => {
      setState({ place, draft: next });
      keepDraft(pageStorage, place, next);
    },
    [place],
  );
  const changeNew = (changes: (draft: Draft) => Partial<Draft>): void => {
    const at = newPlace(screen);
    const known = place === at ? draft : opened(at, to);
    const next = { ...known, ...changes(known) };
    // Shown as soon as nothing is being answered any more: with the next paint, or already.
    setState({ place: at, draft: next });
    keepDraft(pageStorage, at, next);
  };
  return { draft, replace, change: (changes) => replace({ ...draft, ...changes }), changeNew };
}

function newPlace(screen: string): string {
  return `new.${screen}`;
}

function opened(place: string, to: readonly string[]): Draft {
  return keptDraft(pageStorage, place) ?? newDraft(to);
}
