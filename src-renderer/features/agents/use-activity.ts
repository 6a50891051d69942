/** What happened to one agent: pages of the journal, and what is added to it while one looks. */
import { useCallback, useEffect, useState } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { problemOf } from '#renderer/store/use-command.ts';
import type { Actor, Door } from '#shared/auth/model.ts';

/** Rows asked for at a time. */
const PAGE = 60;

/** A row of the journal, as far as it is shown. */
export interface ActivityRow {
  readonly seq: number;
  readonly at: number;
  readonly actor: Actor;
  readonly door: Door;
  readonly kind: string;
  readonly data: unknown;
}

interface ActivityState {
  /** Newest first. */
  readonly rows: readonly ActivityRow[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly problem: string | undefined;
}

/** Joins rows, each once, newest first. */
export function joinRows(known: readonly ActivityRow[], more: readonly ActivityRow[]): readonly ActivityRow[] {
  const bySeq = new Map([...known, ...more].map((row) => [row.seq, row]));
  return [...bySeq.values()].toSorted((a, b) => b.seq - a.seq);
}

/** The newest rows, and a way to older ones. */
export function useActivity(subject: string): ActivityState & { readonly loadOlder: () => void } {
  const session = useSession();
  const [state, setState] = useState<ActivityState>({ rows: [], hasMore: false, isLoading: true, problem: undefined });

  const load = useCallback(
    (before: number | undefined): void => {
      Promise.resolve()
        .then(() => {
          setState((known) => ({ ...known, isLoading: true, problem: undefined }));
          return session.client.journal.list({ subject, limit: PAGE, before: before ?? Number.MAX_SAFE_INTEGER });
        })
        .then((page) =>
          setState(({ rows, hasMore }) => {
            // The newest page is asked for again when the line is back: whether there is more is then known from before.
            const isFirst = rows.length === 0 || before !== undefined;
            // Rows between that page and what was known are asked for from there on.
            const oldest = page.rows.at(-1)?.seq ?? 0;
            const hasGap = !isFirst && page.hasMore && !rows.some(({ seq }) => seq >= oldest);
            const kept = hasGap ? [] : rows;
            return {
              rows: joinRows(kept, page.rows),
              hasMore: isFirst || hasGap ? page.hasMore : hasMore,
              isLoading: false,
              problem: undefined,
            };
          }),
        )
        .catch((error: unknown) => setState((known) => ({ ...known, isLoading: false, problem: problemOf(error) })));
    },
    [session, subject],
  );

  useEffect(() => {
    load(undefined);
    const online = session.onOnline(() => load(undefined));
    const events = session.onEvents((all) => {
      const own = all.filter((event) => event.subject === subject);
      if (own.length > 0) setState((known) => ({ ...known, rows: joinRows(known.rows, own) }));
    });
    return () => {
      online.dispose();
      events.dispose();
    };
  }, [session, subject, load]);

  const { rows } = state;
  const loadOlder = useCallback(() => load(rows.at(-1)?.seq), [load, rows]);
  return { ...state, loadOlder };
}
