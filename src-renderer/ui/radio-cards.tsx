import { RadioGroup } from 'radix-ui';
import type { KeyboardEvent, ReactNode } from 'react';

interface RadioCard<T extends string> {
  readonly value: T;
  readonly title: string;
  /** Stands beside the title: a version, a state. */
  readonly aside?: ReactNode;
  /** What choosing it means. */
  readonly text: ReactNode;
  /** It cannot be chosen; `text` says why. */
  readonly isDisabled?: boolean;
  /** Stands below, outside of what is pressed: the command that mends it, a button. */
  readonly below?: ReactNode;
}

interface RadioCardsProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly RadioCard<T>[];
  readonly onChange: (value: T) => void;
}

const STEPS: ReadonlyMap<string, 1 | -1> = new Map([
  ['ArrowRight', 1],
  ['ArrowDown', 1],
  ['ArrowLeft', -1],
  ['ArrowUp', -1],
]);

/** One of a few, each with what choosing it means. Arrow keys go through those that can be chosen. */
export function RadioCards<T extends string>({ label, value, options, onChange }: RadioCardsProps<T>): ReactNode {
  // As in segmented.tsx: Radix chooses what an arrow key reaches only while the key is down.
  const onArrow = (event: KeyboardEvent<HTMLElement>): void => {
    const step = STEPS.get(event.key);
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const radios = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=radio]:not(:disabled)')];
    const open = options.filter(({ isDisabled }) => isDisabled !== true);
    const at = radios.findIndex((radio) => radio === event.target);
    const to = (at + step + radios.length) % radios.length;
    const option = open[to];
    if (at === -1 || option === undefined) return;
    event.preventDefault();
    radios[to]?.focus();
    onChange(option.value);
  };
  return (
    <RadioGroup.Root
      aria-label={label}
      value={value}
      onValueChange={(chosen) => {
        const option = options.find((each) => each.value === chosen);
        if (option) onChange(option.value);
      }}
      onKeyDownCapture={onArrow}
      className="flex flex-col rounded-3 border border-hair-strong"
    >
      {options.map((option) => (
        <div
          key={option.value}
          className={`relative border-b border-hair first:rounded-t-3 last:rounded-b-3 last:border-b-0 ${option.value === value ? 'bg-select' : 'has-[[role=radio]:hover:enabled]:bg-bg-2'}`}
        >
          <RadioGroup.Item
            value={option.value}
            disabled={option.isDisabled === true}
            aria-label={option.title}
            aria-description={typeof option.text === 'string' ? option.text : undefined}
            className="group/radio flex w-full items-start gap-2.5 rounded-3 px-3 py-2 text-left"
          >
            <span
              aria-hidden
              className="mt-[3px] inline-flex size-3.5 flex-none items-center justify-center rounded-full border border-tx-3 group-aria-checked/radio:border-ink group-disabled/radio:border-hair-strong"
            >
              <span className="size-1.5 rounded-full bg-ink opacity-0 group-aria-checked/radio:opacity-100" />
            </span>
            <span className="min-w-0 flex-1">
              <span className="flex min-w-0 flex-wrap items-baseline gap-x-2">
                <span className="text-13 font-medium text-tx-1 group-disabled/radio:text-tx-3">{option.title}</span>
                {option.aside === undefined ? null : <span className="text-12 text-tx-3">{option.aside}</span>}
              </span>
              <span className="block text-12 text-pretty text-tx-2 group-disabled/radio:text-tx-3">{option.text}</span>
            </span>
          </RadioGroup.Item>
          {option.below === undefined ? null : <div className="pr-3 pb-2.5 pl-9">{option.below}</div>}
        </div>
      ))}
    </RadioGroup.Root>
  );
}
