import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly text: string }[];
  readonly onChange: (value: T) => void;
}

/** One of a few, with its label inside the frame. */
export function Select<T extends string>({ label, value, options, onChange }: SelectProps<T>): ReactNode {
  return (
    <label className="relative flex h-7 min-w-0 items-center gap-1.5 rounded-2 border border-hair bg-bg-0 pr-6 pl-2 text-12 text-tx-3 focus-within:outline-2 focus-within:-outline-offset-2 focus-within:outline-focus">
      <span>{label}</span>
      <select
        aria-label={label}
        value={value}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.target.value);
          if (chosen) onChange(chosen.value);
        }}
        className="min-w-0 appearance-none truncate bg-transparent font-medium text-tx-1 outline-none"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute right-1.5 size-3.5 text-tx-3" />
    </label>
  );
}
