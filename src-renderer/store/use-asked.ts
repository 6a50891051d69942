import { useCallback, useEffect, useRef, useState } from 'react';
import type { CoreClient } from '#renderer/connection/line.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import { useSession } from './session-context.tsx';
import { problemOf } from './use-command.ts';

/** What was asked of the core, as far as it answered. */
export interface Asked<T> {
  /** The last answer; undefined before the first. */
  readonly answer: T | undefined;
  /** Why the last question was not answered; undefined when it was. */
  readonly problem: string | undefined;
  /** Asks now. */
  readonly ask: () => void;
}

interface AskedOptions<T> {
  /** Events after which the answer is another one. */
  readonly isChangedBy?: (event: JournalEvent) => boolean;
  /** While the page can be seen, it is asked again after so many milliseconds; undefined: only when something happened. */
  readonly everyMs?: (answer: T | undefined) => number | undefined;
}

/**
 * Asks the core something that no event carries: once, again whenever a line stands, and after what changes the answer.
 * `key` says what is asked: another one begins anew.
 */
export function useAsked<T>(key: string, question: (client: CoreClient) => Promise<T>, options: AskedOptions<T> = {}): Asked<T> {
  const session = useSession();
  const [state, setState] = useState<{ readonly key: string; readonly answer?: T; readonly problem?: string }>({ key });
  const newest = useRef({ question, options, key });
  useEffect(() => {
    newest.current = { question, options, key };
  });

  const ask = useCallback((): void => {
    Promise.resolve()
      .then(() => newest.current.question(session.client))
      .then((answer) => {
        if (newest.current.key === key) setState({ key, answer });
      })
      .catch((error: unknown) => {
        if (newest.current.key === key)
          setState((known) => ({ ...(known.key === key ? known : { key }), problem: problemOf(error) }));
      });
  }, [session, key]);

  useEffect(() => {
    ask();
    const online = session.onOnline(ask);
    const events = session.onEvents((all) => {
      if (all.some((event) => newest.current.options.isChangedBy?.(event) === true)) ask();
    });
    return () => {
      online.dispose();
      events.dispose();
    };
  }, [session, ask]);

  const answer = state.key === key ? state.answer : undefined;
  const everyMs = options.everyMs?.(answer);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) ask();
    }, everyMs);
    return () => clearInterval(timer);
  }, [ask, everyMs]);

  return { answer, problem: state.key === key ? state.problem : undefined, ask };
}
