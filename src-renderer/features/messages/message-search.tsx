import { ArrowRight } from 'lucide-react';
import { Fragment, useEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { goTo, Link } from '#renderer/navigation/use-route.tsx';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import type { MessageFilter } from '#renderer/store/message-filter.ts';
import { filterKey } from '#renderer/store/message-filter.ts';
import { problemOf } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { ErrorState } from '#renderer/ui/error-state.tsx';
import { clockTime, dayName, fullTime } from '#renderer/ui/format-time.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { Mark, SearchPage, SearchResult } from '#shared/search/model.ts';
import { parseQuery } from '#shared/search/query.ts';
import { nameOf, namesOf } from './message-words.ts';
import { TimelineSkeleton } from './timeline-skeleton.tsx';

/** A query rests this long before it is asked, in milliseconds. */
const TYPING_MS = 150;
/** Results of one page. */
const PAGE = 50;
/** While messages are still being indexed it is asked again so often, in milliseconds. */
const INDEXING_MS = 2_000;

interface MessageSearchProps {
  readonly query: string;
  /** What the rest of the screen's head chose: only that is searched. */
  readonly filter: MessageFilter;
  /** Searches everything: undefined when nothing is chosen. */
  readonly onWiden: (() => void) | undefined;
  /** Goes back to the field. */
  readonly onLeave: () => void;
}

/** What a search has brought so far; `of` is what was asked, so that nothing is shown for something else. */
interface Found {
  readonly of: string;
  readonly page: SearchPage | undefined;
  readonly results: readonly SearchResult[];
  readonly problem: string | undefined;
}

/** Messages that were found, in the place of the timeline: newest first, each a way to its place in it. */
export function MessageSearch({ query, filter, onWiden, onLeave }: MessageSearchProps): ReactNode {
  const session = useSession();
  const isOnline = useWindowState((state) => state.status.kind === 'online');
  const [found, setFound] = useState<Found>();
  const [attempt, setAttempt] = useState(0);
  const now = useNow(60_000);
  const list = useRef<HTMLUListElement>(null);
  const parsed = parseQuery(query, now);
  const asked = `${filterKey(filter)} ${query}`;
  // "Not for the operator" is nothing that the screen offers.
  const input = useMemo(
    () => ({ ...filter, forOperator: filter.forOperator === true ? (true as const) : undefined, query, limit: PAGE }),
    [filter, query],
  );
  const isAskable = parsed.ok && isOnline;

  useEffect(() => {
    if (!isAskable) return undefined;
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      session.client.search
        .messages(input, { signal: leaving.signal })
        .then((page) => {
          if (!leaving.signal.aborted) setFound({ of: asked, page, results: page.results, problem: undefined });
        })
        .catch((error: unknown) => {
          if (!leaving.signal.aborted) setFound({ of: asked, page: undefined, results: [], problem: problemOf(error) });
        });
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [session, input, asked, isAskable, attempt]);

  const isIndexing = found?.page?.isComplete === false;
  useEffect(() => {
    if (!isIndexing) return undefined;
    const timer = setTimeout(() => setAttempt((count) => count + 1), INDEXING_MS);
    return () => clearTimeout(timer);
  }, [isIndexing, attempt]);

  const goOn = (cursor: string): void => {
    session.client.search
      .messages({ ...input, cursor })
      .then((page) =>
        setFound((before) =>
          before?.of === asked ? { ...before, page, results: [...before.results, ...page.results] } : before,
        ),
      )
      .catch((error: unknown) =>
        setFound((before) => (before?.of === asked ? { ...before, problem: problemOf(error) } : before)),
      );
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      onLeave();
      return;
    }
    const rows = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (rows === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...(list.current?.querySelectorAll('a') ?? [])];
    const at = links.findIndex((link) => link === document.activeElement);
    if (at === -1) return;
    event.preventDefault();
    event.stopPropagation();
    if (at + rows < 0) onLeave();
    else links[at + rows]?.focus();
  };

  if (!parsed.ok) {
    return (
      <div role="status" className="min-h-0 flex-1 overflow-y-auto">
        <EmptyState title="The query is not understood">
          <p>{parsed.problem.text}</p>
          <QueryHelp />
        </EmptyState>
      </div>
    );
  }
  const isOld = found?.of !== asked;
  if (found === undefined || (isOld && found.results.length === 0)) return <TimelineSkeleton />;
  if (found.problem !== undefined && found.results.length === 0) {
    return (
      <div className="min-h-0 flex-1">
        <ErrorState title="Messages were not searched" detail={found.problem} onRetry={() => setAttempt(attempt + 1)} />
      </div>
    );
  }
  const { page, results } = found;
  return (
    <div className="@container flex min-h-0 flex-1 flex-col" aria-busy={isOld}>
      <div className="flex flex-none flex-wrap items-center gap-x-3 border-b border-hair px-4 py-1.5 text-12 text-tx-3">
        <p role="status">
          {sayCount(results.length, page, now)}
          {onWiden === undefined ? null : ' Only what the filters above let pass is searched.'}
        </p>
        {onWiden === undefined || results.length === 0 ? null : (
          <button type="button" onClick={onWiden} className="text-tx-2 underline underline-offset-2 hover:text-tx-1">
            Search everything
          </button>
        )}
      </div>
      {results.length === 0 ? (
        <div className="min-h-0 flex-1 overflow-y-auto">
          <EmptyState title="Nothing was found">
            {onWiden === undefined ? null : <Button onClick={onWiden}>Search everything</Button>}
            <QueryHelp />
          </EmptyState>
        </div>
      ) : (
        <div className="min-h-0 flex-1 overflow-y-auto">
          {/* Enter in the field leads to what it says there, and not to what was found for something else. */}
          <ul ref={list} aria-label={isOld ? 'Found before' : 'Messages found'} onKeyDown={onKeyDown}>
            {results.map((result) => (
              <ResultRow key={result.messageId} result={result} now={now} />
            ))}
          </ul>
          {found.problem === undefined ? null : <p className="px-4 py-2 text-12 text-tx-2">{found.problem}</p>}
          {page?.next ? (
            <div className="border-t border-hair px-4 py-2.5">
              <Button size="small" onClick={() => goOn(page.next ?? '')}>
                Show older ones
              </Button>
            </div>
          ) : null}
        </div>
      )}
    </div>
  );
}

/** How much was found, and what of it is not the whole truth. */
function sayCount(count: number, page: SearchPage | undefined, now: number): string {
  const parts = [
    `${count.toLocaleString('en-GB')}${page?.next ? ' or more' : ''} ${count === 1 && !page?.next ? 'message' : 'messages'}, newest first`,
  ];
  if (page && page.searchedTo !== null)
    parts.push(`searched back to ${dayName(page.searchedTo, now)}, ${clockTime(page.searchedTo)}`);
  if (page && !page.isComplete)
    parts.push(
      `${page.indexed.toLocaleString('en-GB')} of ${page.total.toLocaleString('en-GB')} messages are indexed; older ones come first`,
    );
  return `${parts.join(' · ')}.`;
}

/** The day of a message in a list where most are of other days: "21 Nov", with the year where it is another; nothing for today. */
function shortDay(at: number, now: number): string {
  const [day, today] = [new Date(at), new Date(now)];
  if (day.toDateString() === today.toDateString()) return '';
  const isThisYear = day.getFullYear() === today.getFullYear();
  return day.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...(isThisYear ? {} : { year: '2-digit' }) });
}

function QueryHelp(): ReactNode {
  const rows = [
    ['deploy failed', 'both words, in any order; parts of names count: bar finds foo_bar'],
    ['"side by side"', 'a phrase'],
    ['-word', 'must not be there'],
    ['dep*', 'begins like this'],
    ['from:api to:operator', 'who to whom; also kind: priority: topic: session:'],
    ['after:7d before:2026-11-01', 'when'],
  ] as const;
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-12">
      {rows.map(([example, meaning]) => (
        <Fragment key={example}>
          <dt>
            <code className="font-code text-tx-1">{example}</code>
          </dt>
          <dd className="text-tx-2">{meaning}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function ResultRow({ result, now }: { readonly result: SearchResult; readonly now: number }): ReactNode {
  const { snippet, subject } = result;
  return (
    <li>
      <Link
        to={{ page: 'messages', messageId: result.messageId }}
        onKeyDown={(event) => {
          // A link knows Enter only; a row is opened by the space bar too.
          if (event.key !== ' ') return;
          event.preventDefault();
          goTo({ page: 'messages', messageId: result.messageId });
        }}
        className="grid grid-cols-[minmax(0,1fr)] gap-x-3 border-b border-hair px-4 pt-[7px] pb-2 -outline-offset-2 hover:bg-bg-1 focus-visible:bg-select @2xl:grid-cols-[104px_minmax(0,1fr)]"
      >
        <time
          dateTime={new Date(result.sentAt).toISOString()}
          title={fullTime(result.sentAt)}
          className="figures text-12 leading-[18px] text-tx-3"
        >
          {shortDay(result.sentAt, now)} {clockTime(result.sentAt).slice(0, 5)}
        </time>
        <span className="block min-w-0">
          <span className="flex items-center gap-1.5 overflow-hidden text-12 leading-[18px] whitespace-nowrap text-tx-3">
            <strong className="max-w-[24ch] flex-none truncate text-13 font-strong text-tx-1">{nameOf(result.from.id)}</strong>
            <ArrowRight role="img" aria-label="to" className="size-3 flex-none" />
            <strong className="min-w-0 truncate text-13 font-strong text-tx-1">{namesOf(result.to)}</strong>
            <span className="flex-none">{result.kind}</span>
            {result.priority === 'normal' ? null : (
              <span className="flex-none text-11 font-strong tracking-[0.03em] uppercase">{result.priority}</span>
            )}
            {subject === null ? null : (
              <span className="min-w-0 truncate text-tx-2">
                <Marked text={subject} marks={result.subjectMatches} />
              </span>
            )}
          </span>
          <span className="mt-px block max-w-[74ch] leading-[18px] [overflow-wrap:anywhere] text-tx-2">
            {snippet.field === 'body' ? null : <span className="text-tx-3">{snippet.field}: </span>}
            {snippet.isCutBefore ? '… ' : ''}
            <Marked text={snippet.text} marks={snippet.matches} />
            {snippet.isCutAfter ? ' …' : ''}
          </span>
        </span>
      </Link>
    </li>
  );
}

/** A text with what was found in it marked. */
function Marked({ text, marks }: { readonly text: string; readonly marks: readonly Mark[] }): ReactNode {
  const pieces: ReactNode[] = [];
  let at = 0;
  for (const { start, end } of marks) {
    pieces.push(visibleText(text.slice(at, start)));
    pieces.push(
      <mark key={start} className="rounded-1 bg-select px-px font-medium text-tx-1 underline decoration-tx-3 underline-offset-2">
        {visibleText(text.slice(start, end))}
      </mark>,
    );
    at = end;
  }
  pieces.push(visibleText(text.slice(at)));
  return pieces.map((piece, index) => <Fragment key={index}>{piece}</Fragment>);
}
