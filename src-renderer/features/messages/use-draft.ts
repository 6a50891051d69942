import { useCallback, useEffect, useState } from 'react';
import type { Answered } from '#renderer/store/outgoing-message.ts';
import { onKeptElsewhere, pageStorage } from '#renderer/store/page-storage.ts';
import type { Draft } from './drafts.ts';
import { draftAfter, joinedDraft, keepDraft, keptDraft, missedDraft, newDraft } from './drafts.ts';

/** The draft of a place as React sees it. */
export interface DraftState {
  readonly draft: Draft;
  /** Changes it, and keeps it. */
  readonly change: (changes: Partial<Draft>) => void;
  /** Puts another one in its place: after sending. */
  readonly replace: (draft: Draft) => void;
  /**
   * Changes the draft of a new message (undefined), or of an answer, also while something else is being written: whoever
   * calls it goes there.
   */
  readonly changeAt: (answered: Answered | undefined, changes: (draft: Draft) => Partial<Draft>) => void;
}

/**
 * The draft of a new message of a screen, or of the answer to a message: each is kept by itself, and is the same in all
 * windows of the browser.
 */
export function useDraft(screen: string, answered: Answered | undefined, to: readonly string[]): DraftState {
  const place = placeOf(screen, answered);
  const targets = answered?.to ?? to;
  const [state, setState] = useState(() => ({ place, draft: opened(place, targets) }));
  // Another place: what was written there comes back, at once and not one paint later.
  let { draft } = state;
  if (state.place !== place) {
    draft = opened(place, targets);
    setState({ place, draft });
  }
  useEffect(() => {
    const listening = onKeptElsewhere((name, text, before) =>
      setState((now) => {
        const next = draftAfter(now.draft, now.place, { name, text, before });
        return next === undefined ? now : { ...now, draft: next };
      }),
    );
    // Between the first paint and this moment nobody listened.
    queueMicrotask(() =>
      setState((now) => {
        const missed = missedDraft(pageStorage, now.place, now.draft);
        return missed === undefined ? now : { ...now, draft: missed };
      }),
    );
    return () => listening.dispose();
  }, []);
  const replace = useCallback(
    (next: Draft): void => {
      setState({ place, draft: next });
      keepDraft(pageStorage, place, next);
    },
    [place],
  );
  const changeAt: DraftState['changeAt'] = (message, changes) => {
    const at = placeOf(screen, message);
    const known = place === at ? draft : opened(at, message?.to ?? to);
    const next = joinedDraft(keptDraft(pageStorage, at), { ...known, ...changes(known) });
    // Shown as soon as that is what is being written: with the next paint, or already.
    setState({ place: at, draft: next });
    keepDraft(pageStorage, at, next);
  };
  return {
    draft,
    replace,
    change: (changes) => replace(joinedDraft(keptDraft(pageStorage, place), { ...draft, ...changes })),
    changeAt,
  };
}

function placeOf(screen: string, answered: Answered | undefined): string {
  return answered === undefined ? `new.${screen}` : `reply.${answered.id}`;
}

function opened(place: string, to: readonly string[]): Draft {
  return keptDraft(pageStorage, place) ?? newDraft(to);
}
