import { Fragment, useId, useLayoutEffect, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode, Ref } from 'react';
import { MAX_BODY_CHARS } from '#shared/messages/model.ts';
import { mentionBefore, MENTIONS_OFFERED, MentionList } from './mention-list.tsx';
import { mentionSpans } from './text-parts.ts';

/** The field grows with its text up to this height in pixels; then it scrolls. */
const MOST_PX = 220;

/** So many names are marked: each is an element of the page, drawn anew with every key. */
const MARKED = 200;

interface DraftFieldProps {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly onSubmit: () => void;
  /** Files that were pasted. */
  readonly onFiles: (files: readonly File[]) => void;
  readonly placeholder: string;
  /** Who can be mentioned. */
  readonly names: readonly string[];
  readonly isName: (name: string) => boolean;
  readonly ref: Ref<HTMLTextAreaElement>;
}

/** The text of a message: grows as it is written, offers names after an @, and marks those it mentions. */
export function DraftField({ value, onChange, onSubmit, onFiles, placeholder, names, isName, ref }: DraftFieldProps): ReactNode {
  const id = useId();
  const own = useRef<HTMLTextAreaElement>(null);
  const marks = useRef<HTMLDivElement>(null);
  const [written, setWritten] = useState<string>();
  const [current, setCurrent] = useState(0);
  const offered =
    written === undefined ? [] : names.filter((name) => name.startsWith(written) && name !== written).slice(0, MENTIONS_OFFERED);
  const isOffering = offered.length > 0;

  useLayoutEffect(() => {
    const field = own.current;
    if (field === null) return;
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight + 2, MOST_PX)}px`;
  }, [value]);

  const look = (field: HTMLTextAreaElement): void => {
    setWritten(field.selectionStart === field.selectionEnd ? mentionBefore(field.value, field.selectionStart) : undefined);
    setCurrent(0);
  };
  const pick = (name: string): void => {
    const field = own.current;
    if (field === null || written === undefined) return;
    const start = field.selectionStart - written.length;
    const text = `${value.slice(0, start)}${name} ${value.slice(field.selectionStart)}`;
    onChange(text);
    setWritten(undefined);
    // Once the new text is in the field the caret can go behind the name.
    requestAnimationFrame(() => field.setSelectionRange(start + name.length + 1, start + name.length + 1));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onSubmit();
      return;
    }
    if (!isOffering) return;
    const moves: Readonly<Record<string, number>> = { ArrowDown: current + 1, ArrowUp: current - 1 };
    const to = moves[event.key];
    if (to !== undefined) setCurrent((to + offered.length) % offered.length);
    else if (event.key === 'Enter' || event.key === 'Tab') pick(offered[current] ?? '');
    else if (event.key === 'Escape') setWritten(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="relative min-w-0">
      {isOffering ? <MentionList id={id} names={offered} current={current} onPick={pick} /> : null}
      {/* Behind the field, the same text in the same place: only the marks under the names are seen. */}
      <div
        ref={marks}
        aria-hidden
        className="pointer-events-none absolute inset-0 overflow-hidden rounded-2 border border-transparent bg-field-bg px-2.5 py-2 leading-[18px] [overflow-wrap:break-word] whitespace-pre-wrap text-transparent"
      >
        <Marked text={value} isName={isName} />
      </div>
      <textarea
        ref={(field) => {
          own.current = field;
          if (typeof ref === 'function') ref(field);
          else if (ref !== null) ref.current = field;
        }}
        aria-label="Message"
        // A textarea can be nothing but a textbox; that it offers something, and what, it may say all the same.
        aria-haspopup={isOffering ? 'listbox' : undefined}
        aria-controls={isOffering ? id : undefined}
        aria-activedescendant={isOffering ? `${id}-${current}` : undefined}
        aria-autocomplete={isOffering ? 'list' : undefined}
        rows={2}
        maxLength={MAX_BODY_CHARS}
        value={value}
        placeholder={placeholder}
        onChange={(event) => {
          onChange(event.target.value);
          look(event.target);
        }}
        onBlur={() => setWritten(undefined)}
        onScroll={({ currentTarget }) => {
          if (marks.current !== null) marks.current.scrollTop = currentTarget.scrollTop;
        }}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          // Text that comes with a picture of itself, as from a spreadsheet, is text.
          if (event.clipboardData.files.length === 0 || event.clipboardData.types.includes('text/plain')) return;
          event.preventDefault();
          onFiles([...event.clipboardData.files]);
        }}
        className="relative block min-h-[54px] w-full resize-none overflow-y-auto rounded-2 border border-hair-strong bg-transparent px-2.5 py-2 leading-[18px] [overflow-wrap:break-word] placeholder:text-tx-3"
      />
    </div>
  );
}

function Marked({ text, isName }: { readonly text: string; readonly isName: (name: string) => boolean }): ReactNode {
  const spans = mentionSpans(text, isName, MARKED);
  return (
    <>
      {spans.map(({ start, end }, index) => (
        <Fragment key={start}>
          {text.slice(spans[index - 1]?.end ?? 0, start)}
          <span className="rounded-1 bg-bg-2 outline-2 outline-bg-2">{text.slice(start, end)}</span>
        </Fragment>
      ))}
      {text.slice(spans.at(-1)?.end ?? 0)}
      {/* A line break at the end is a line only when something follows it. */}
      {'\u200b'}
    </>
  );
}
