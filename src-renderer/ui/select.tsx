import { Check, ChevronDown } from 'lucide-react';
import { Select as RadixSelect } from 'radix-ui';
import type { ReactNode } from 'react';
import { FLOATING, FLOATING_ROW } from './floating.ts';

/** The frame of what opens a list of choices. */
export const CHOICE_FRAME =
  'inline-flex h-7 min-w-0 max-w-full items-center gap-1.5 rounded-2 border border-hair-strong bg-field-bg px-2 text-12 whitespace-nowrap enabled:hover:bg-bg-2 aria-expanded:bg-bg-2 disabled:text-tx-3';

/** Radix takes no empty value; with a mark before each, every text can be one. */
const encoded = (value: string): string => `=${value}`;

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly text: string }[];
  readonly onChange: (value: T) => void;
  /** Leaves the label to screen readers. */
  readonly isLabelHidden?: boolean;
  readonly disabled?: boolean;
  readonly className?: string;
}

/** One of a few, with its label inside the frame. For many, with a filter, see Combobox. */
export function Select<T extends string>(props: SelectProps<T>): ReactNode {
  const { label, value, options, onChange, isLabelHidden = false, disabled = false, className = '' } = props;
  return (
    <RadixSelect.Root
      value={encoded(value)}
      disabled={disabled}
      onValueChange={(chosen) => {
        const option = options.find((each) => encoded(each.value) === chosen);
        if (option) onChange(option.value);
      }}
    >
      <RadixSelect.Trigger aria-label={label} className={`${CHOICE_FRAME} ${className}`}>
        {isLabelHidden ? null : (
          <span aria-hidden className="flex-none text-tx-3">
            {label}
          </span>
        )}
        <span className="min-w-0 flex-1 truncate text-left font-medium">
          <RadixSelect.Value />
        </span>
        <ChevronDown aria-hidden className="size-3.5 flex-none text-tx-3" />
      </RadixSelect.Trigger>
      <RadixSelect.Portal>
        <RadixSelect.Content
          position="popper"
          sideOffset={4}
          collisionPadding={8}
          className={`${FLOATING} max-h-(--radix-select-content-available-height) min-w-(--radix-select-trigger-width) max-w-80`}
        >
          <RadixSelect.Viewport className="p-1">
            {options.map((option) => (
              <RadixSelect.Item key={option.value} value={encoded(option.value)} className={FLOATING_ROW}>
                <span className="min-w-0 flex-1 truncate">
                  <RadixSelect.ItemText>{option.text}</RadixSelect.ItemText>
                </span>
                <span className="inline-flex w-3.5 flex-none">
                  <RadixSelect.ItemIndicator>
                    <Check aria-hidden className="size-3.5" />
                  </RadixSelect.ItemIndicator>
                </span>
              </RadixSelect.Item>
            ))}
          </RadixSelect.Viewport>
        </RadixSelect.Content>
      </RadixSelect.Portal>
    </RadixSelect.Root>
  );
}
