import { useCallback, useEffect, useRef, useState } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { problemOf } from '#renderer/store/use-command.ts';
import type { EgressConnection } from '#shared/egress/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { LogRows } from './connection-log.ts';
import { NO_ROWS, withNewest, withOlder } from './connection-log.ts';

/** Rows asked for at a time. */
const PAGE = 100;
/** Bytes and ends of open connections are in no event: the newest page is asked for again so often, in milliseconds. */
const RENEWED_EVERY_MS = 5_000;

/** What a log can be narrowed to. */
export type OutcomeFilter = EgressConnection['outcome'] | '';

interface ConnectionLog extends LogRows {
  /** Before the first answer nothing can be said. */
  readonly isKnown: boolean;
  readonly problem: string | undefined;
  readonly loadOlder: () => void;
}

interface LogState extends LogRows {
  /** Of which question these are the rows. */
  readonly key: string;
  readonly isKnown: boolean;
  readonly problem: string | undefined;
}

const unknown = (key: string): LogState => ({ ...NO_ROWS, key, isKnown: false, problem: undefined });

/** The connections of an agent, newest first, with the newest followed while the page can be seen. */
export function useConnectionLog(agentId: AgentId, outcome: OutcomeFilter): ConnectionLog {
  const session = useSession();
  const key = `${agentId} ${outcome}`;
  const [held, setState] = useState<LogState>(() => unknown(key));
  const state = held.key === key ? held : unknown(key);
  const isLoading = useRef(false);

  const load = useCallback(
    (before: number | undefined, isWanted: () => boolean): void => {
      Promise.resolve()
        .then(() =>
          session.client.egress.connections({
            agentId,
            limit: PAGE,
            ...(outcome === '' ? {} : { outcome }),
            ...(before === undefined ? {} : { before }),
          }),
        )
        .then((page) => {
          if (!isWanted()) return;
          setState((was) => {
            const known = was.key === key ? was : unknown(key);
            return {
              ...(before === undefined ? withNewest(known, page) : withOlder(known, page)),
              key,
              isKnown: true,
              problem: undefined,
            };
          });
        })
        .catch((error: unknown) => {
          if (isWanted()) setState((was) => ({ ...(was.key === key ? was : unknown(key)), problem: problemOf(error) }));
        })
        .finally(() => {
          if (before !== undefined) isLoading.current = false;
        });
    },
    [session, agentId, outcome, key],
  );

  const wanted = useRef<() => boolean>(() => false);
  useEffect(() => {
    let isMounted = true;
    wanted.current = () => isMounted;
    const isWanted = wanted.current;
    load(undefined, isWanted);
    const online = session.onOnline(() => load(undefined, isWanted));
    const events = session.onEvents((all) => {
      if (all.some(({ kind, subject }) => kind.startsWith('egress.') && subject === agentId)) load(undefined, isWanted);
    });
    const timer = setInterval(() => {
      if (!document.hidden) load(undefined, isWanted);
    }, RENEWED_EVERY_MS);
    return () => {
      isMounted = false;
      online.dispose();
      events.dispose();
      clearInterval(timer);
    };
  }, [session, agentId, load]);

  const oldest = state.rows.at(-1)?.id;
  const loadOlder = useCallback((): void => {
    if (oldest === undefined || isLoading.current) return;
    isLoading.current = true;
    load(oldest, wanted.current);
  }, [load, oldest]);
  return { ...state, loadOlder };
}
