import { Command } from 'cmdk';
import { Check, ChevronDown, Search } from 'lucide-react';
import { Popover as RadixPopover } from 'radix-ui';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { FLOATING, FLOATING_ROW } from './floating.ts';
import { CHOICE_FRAME } from './select.tsx';

/** A choice: what is stored, what is read, and what tells it from its likes. */
export interface ComboboxOption<T extends string> {
  readonly value: T;
  readonly text: string;
  readonly detail?: string | undefined;
}

/** Keeps what has every word that was typed, what begins with the first of them before the rest. `keywords`: text and detail. */
function rank(_value: string, typed: string, keywords: string[] = []): number {
  const text = keywords.join(' ').toLowerCase();
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.every((word) => text.includes(word))) return 0;
  return text.startsWith(words[0] ?? '') ? 1 : 0.5;
}

interface Shared<T extends string> {
  readonly label: string;
  readonly options: readonly ComboboxOption<T>[];
  /** What stands in the frame while nothing is chosen. */
  readonly placeholder?: string;
  readonly isLabelHidden?: boolean;
  readonly disabled?: boolean;
  readonly className?: string;
}

interface ComboboxProps<T extends string> extends Shared<T> {
  readonly value: T | null;
  readonly onChange: (value: T) => void;
}

/** One of many, found by typing. */
export function Combobox<T extends string>({ value, onChange, ...rest }: ComboboxProps<T>): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const chosen = rest.options.find((option) => option.value === value);
  return (
    <Frame
      {...rest}
      isOpen={isOpen}
      onOpen={setOpen}
      shown={chosen?.text}
      isChosen={(each) => each === value}
      onPick={(each) => {
        onChange(each);
        setOpen(false);
      }}
    />
  );
}

interface MultiComboboxProps<T extends string> extends Shared<T> {
  readonly values: readonly T[];
  readonly onChange: (values: T[]) => void;
  /** What the typed text itself may be, beside the options: offered last. */
  readonly offer?: (typed: string) => ComboboxOption<T> | undefined;
}

/** Any number of many. The list stays open while one picks. */
export function MultiCombobox<T extends string>({ values, onChange, ...rest }: MultiComboboxProps<T>): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const texts = rest.options.filter((option) => values.includes(option.value)).map(({ text }) => text);
  return (
    <Frame
      {...rest}
      isOpen={isOpen}
      onOpen={setOpen}
      isMulti
      shown={texts.length === 0 ? undefined : texts.length > 3 ? `${texts.length} chosen` : texts.join(', ')}
      isChosen={(each) => values.includes(each)}
      onPick={(each) => onChange(values.includes(each) ? values.filter((value) => value !== each) : [...values, each])}
    />
  );
}

interface FrameProps<T extends string> extends Shared<T> {
  readonly isOpen: boolean;
  readonly onOpen: (isOpen: boolean) => void;
  readonly shown: string | undefined;
  readonly isMulti?: boolean;
  readonly isChosen: (value: T) => boolean;
  readonly onPick: (value: T) => void;
  readonly offer?: ((typed: string) => ComboboxOption<T> | undefined) | undefined;
}

function Frame<T extends string>(props: FrameProps<T>): ReactNode {
  const { label, options, placeholder = 'any', isLabelHidden = false, disabled = false, className = '', shown } = props;
  const [typed, setTyped] = useState('');
  const offered = typed === '' ? undefined : props.offer?.(typed);
  const isNew = offered !== undefined && options.every(({ value }) => value !== offered.value);
  return (
    <RadixPopover.Root
      open={props.isOpen}
      onOpenChange={(isOpen) => {
        setTyped('');
        props.onOpen(isOpen);
      }}
    >
      <RadixPopover.Trigger
        aria-label={`${label}: ${shown ?? placeholder}`}
        disabled={disabled}
        className={`${CHOICE_FRAME} ${className}`}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
          event.preventDefault();
          props.onOpen(true);
        }}
      >
        {isLabelHidden ? null : <span className="flex-none text-tx-3">{label}</span>}
        <span
          className={`min-w-0 flex-1 truncate text-left ${shown === undefined || disabled ? 'text-tx-3' : 'font-medium text-tx-1'}`}
        >
          {shown ?? placeholder}
        </span>
        <ChevronDown aria-hidden className="size-3.5 flex-none text-tx-3" />
      </RadixPopover.Trigger>
      <RadixPopover.Portal>
        <RadixPopover.Content
          aria-label={label}
          align="start"
          sideOffset={4}
          collisionPadding={8}
          className={`${FLOATING} w-72 max-w-[calc(100vw-16px)] min-w-(--radix-popover-trigger-width)`}
        >
          <Command
            label={label}
            loop
            vimBindings={false}
            filter={rank}
            defaultValue={options.find(({ value }) => props.isChosen(value))?.value ?? ''}
          >
            <div className="flex h-9 items-center gap-2 border-b border-hair px-3">
              <Search aria-hidden className="size-3.5 flex-none text-tx-3" />
              <Command.Input
                value={typed}
                onValueChange={setTyped}
                placeholder="Filter"
                className="h-full min-w-0 flex-1 bg-transparent text-12 outline-none placeholder:text-tx-3"
              />
            </div>
            <Command.List
              label={label}
              className="max-h-[min(280px,calc(var(--radix-popover-content-available-height)-40px))] overflow-y-auto p-1"
            >
              <Command.Empty className="px-2 py-1.5 text-12 text-tx-3">Nothing matches.</Command.Empty>
              {[...options, ...(isNew ? [offered] : [])].map((option) => (
                <Command.Item
                  key={option.value}
                  value={option.value}
                  // What was typed must be found by what was typed, after everything else.
                  keywords={option === offered ? ['', typed] : [option.text, option.detail ?? '']}
                  onSelect={() => props.onPick(option.value)}
                  className={FLOATING_ROW}
                >
                  <span className="inline-flex w-3.5 flex-none">
                    {props.isChosen(option.value) ? <Check aria-label="chosen" className="size-3.5" /> : null}
                  </span>
                  <span className="min-w-0 flex-1 truncate">{option.text}</span>
                  {option.detail === undefined ? null : <span className="min-w-0 truncate text-tx-3">{option.detail}</span>}
                </Command.Item>
              ))}
            </Command.List>
          </Command>
        </RadixPopover.Content>
      </RadixPopover.Portal>
    </RadixPopover.Root>
  );
}
