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
}

/** The draft of a new message of a screen, or of the answer to a message: each is kept by itself. */
export function useDraft(screen: string, answered: Answered | undefined, to: readonly string[]): DraftState {
  const place = answered === undefined ? `new.${screen}` : `reply.${answered.id}`;
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
  return { draft, replace, change: (changes) => replace({ ...draft, ...changes }) };
}

function opened(place: string, to: readonly string[]): Draft {
  return keptDraft(pageStorage, place) ?? newDraft(to);
}
