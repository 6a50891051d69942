import { Fragment } from 'react';
import type { ReactNode } from 'react';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { textParts } from './text-parts.ts';

interface MessageTextProps {
  readonly text: string;
  /** Says what after an @ names somebody. */
  readonly isName: (name: string) => boolean;
}

/** A message's text: what agents write is shown as text, never as markup. */
export function MessageText({ text, isName }: MessageTextProps): ReactNode {
  return textParts(text, isName).map((part, index) => {
    switch (part.kind) {
      case 'text':
        return <Fragment key={index}>{visibleText(part.text)}</Fragment>;
      case 'code':
        return (
          <code key={index} className="font-code text-12 text-tx-1">
            {visibleText(part.text)}
          </code>
        );
      case 'block':
        return (
          <code
            key={index}
            className="font-code my-1 block max-w-full overflow-x-auto rounded-2 border border-hair bg-well px-2.5 py-1.5 text-12 whitespace-pre text-t-fg"
            // Scrolls, so it must be reachable by keys.
            tabIndex={0}
          >
            {visibleText(part.text)}
          </code>
        );
      case 'mention':
        return (
          <span key={index} className="rounded-1 bg-bg-2 px-[3px] font-medium text-tx-1">
            {part.text}
          </span>
        );
      case 'link':
        return (
          <a
            key={index}
            href={part.href}
            target="_blank"
            rel="noopener noreferrer"
            className="break-all text-tx-1 underline decoration-hair-strong underline-offset-2 hover:decoration-current"
          >
            {visibleText(part.text)}
          </a>
        );
    }
  });
}
