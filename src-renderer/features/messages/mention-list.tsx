import type { ReactNode } from 'react';
import { FLOATING } from '#renderer/ui/floating.ts';

/** At most so many names are offered. */
export const MENTIONS_OFFERED = 6;

/** The name that is being written before the caret: what stands after the @ of the word. Undefined when it is another word. */
export function mentionBefore(text: string, caret: number): string | undefined {
  return /(?:^|[^\w.@])@([a-z0-9._-]{0,62})$/.exec(text.slice(0, caret))?.[1];
}

interface MentionListProps {
  readonly id: string;
  readonly names: readonly string[];
  readonly current: number;
  readonly onPick: (name: string) => void;
}

/** The names that fit what is written after an @. The text field keeps the focus and says which one is current. */
export function MentionList({ id, names, current, onPick }: MentionListProps): ReactNode {
  return (
    <ul id={id} role="listbox" aria-label="Agents" className={`${FLOATING} absolute bottom-full left-0 mb-1 w-64 p-1`}>
      {names.map((name, index) => (
        <li
          key={name}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === current}
          // The press must not take the focus from the text.
          onMouseDown={(event) => {
            event.preventDefault();
            onPick(name);
          }}
          className={`flex h-7 items-center rounded-2 px-2 text-12 ${index === current ? 'bg-bg-2' : ''}`}
        >
          @{name}
        </li>
      ))}
    </ul>
  );
}
