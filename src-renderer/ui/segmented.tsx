import { RadioGroup } from 'radix-ui';
import type { KeyboardEvent, ReactNode } from 'react';
import { Tooltip } from './tooltip.tsx';

interface SegmentedProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly text: string; readonly icon?: ReactNode }[];
  readonly onChange: (value: T) => void;
  /** Shows the icons alone; the texts become tooltips. */
  readonly isIconOnly?: boolean;
}

/** Where an arrow key leads from an option. */
const STEPS: ReadonlyMap<string, 1 | -1> = new Map([
  ['ArrowRight', 1],
  ['ArrowDown', 1],
  ['ArrowLeft', -1],
  ['ArrowUp', -1],
]);

/** One of two to four, all in sight. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
  isIconOnly = false,
}: SegmentedProps<T>): ReactNode {
  // Radix moves the focus a moment after the key and chooses what it reaches only if the key is still down by then: a quick
  // press in a busy window would move and not choose.
  const onArrow = (event: KeyboardEvent<HTMLElement>): void => {
    const step = STEPS.get(event.key);
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const radios = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=radio]')];
    const at = radios.findIndex((radio) => radio === event.target);
    const to = (at + step + options.length) % options.length;
    const option = options[to];
    if (at === -1 || option === undefined) return;
    event.preventDefault();
    radios[to]?.focus();
    onChange(option.value);
  };
  return (
    <RadioGroup.Root
      aria-label={label}
      orientation="horizontal"
      value={value}
      onValueChange={(chosen) => {
        const option = options.find((each) => each.value === chosen);
        if (option) onChange(option.value);
      }}
      onKeyDownCapture={onArrow}
      className="inline-flex flex-none"
    >
      {options.map((option) => {
        const item = (
          <RadioGroup.Item
            key={option.value}
            value={option.value}
            aria-label={isIconOnly ? option.text : undefined}
            className={`relative -ml-px inline-flex h-7 items-center justify-center gap-1.5 border border-hair-strong text-12 font-medium whitespace-nowrap text-tx-2 first-of-type:ml-0 first-of-type:rounded-l-2 last-of-type:rounded-r-2 hover:bg-bg-2 hover:text-tx-1 aria-checked:bg-bg-2 aria-checked:text-tx-1 ${isIconOnly ? 'w-7' : 'px-2.5'}`}
          >
            {option.icon}
            {isIconOnly ? null : option.text}
          </RadioGroup.Item>
        );
        return isIconOnly ? (
          <Tooltip key={option.value} label={option.text}>
            {item}
          </Tooltip>
        ) : (
          item
        );
      })}
    </RadioGroup.Root>
  );
}
