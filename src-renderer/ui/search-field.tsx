import { Search, X } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { KeyHint } from './key-hint.tsx';
import { ariaKeys } from './readable-keys.ts';

interface OwnProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  /** The keys that lead here, as commands write them. */
  readonly shortcut?: string | undefined;
}

type SearchFieldProps = OwnProps & Omit<ComponentProps<'input'>, keyof OwnProps>;

/** Narrows what stands below. Escape empties it. `className` goes to the frame. */
export function SearchField(props: SearchFieldProps): ReactNode {
  const { label, value, onChange, placeholder, shortcut, className = '', onKeyDown, ...input } = props;
  return (
    <div
      className={`flex h-7 min-w-0 items-center gap-2 rounded-2 border border-hair-strong bg-field-bg pl-2 focus-within:outline-2 focus-within:-outline-offset-2 focus-within:outline-focus ${className}`}
    >
      <Search aria-hidden className="size-3.5 flex-none text-tx-3" />
      <input
        type="text"
        role="searchbox"
        autoComplete="off"
        spellCheck={false}
        {...input}
        aria-label={label}
        aria-keyshortcuts={ariaKeys(shortcut)}
        value={value}
        placeholder={placeholder ?? label}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          onKeyDown?.(event);
          if (event.key !== 'Escape' || value === '' || event.defaultPrevented) return;
          event.preventDefault();
          event.stopPropagation();
          onChange('');
        }}
        className="h-full min-w-0 flex-1 bg-transparent text-12 text-tx-1 outline-none placeholder:text-tx-3"
      />
      {value === '' ? (
        <span className="pr-1.5 text-tx-3">{shortcut === undefined ? null : <KeyHint>{shortcut}</KeyHint>}</span>
      ) : (
        <button
          type="button"
          aria-label={`Clear ${label}`}
          onClick={() => onChange('')}
          className="inline-flex size-6 flex-none items-center justify-center rounded-2 text-tx-3 hover:text-tx-1"
        >
          <X aria-hidden className="size-3.5" />
        </button>
      )}
    </div>
  );
}
