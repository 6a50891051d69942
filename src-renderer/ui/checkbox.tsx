import { Check, Minus } from 'lucide-react';
import { Checkbox as RadixCheckbox, Switch as RadixSwitch } from 'radix-ui';
import { useId } from 'react';
import type { ReactNode } from 'react';

/** Both are drawn inside of what can be hit, and show its state and focus. */
const DRAWN =
  'border border-tx-3 outline-offset-1 outline-focus group-focus-visible/box:outline-2 group-disabled/box:border-hair-strong';
const FILLED =
  'group-data-[state=checked]/box:border-ink group-data-[state=checked]/box:bg-ink group-disabled/box:group-data-[state=checked]/box:border-tx-3 group-disabled/box:group-data-[state=checked]/box:bg-tx-3';
const MIXED = 'group-data-[state=indeterminate]/box:border-ink group-data-[state=indeterminate]/box:bg-ink';
const SQUARE = `inline-flex size-3.5 items-center justify-center rounded-1 text-on-ink ${DRAWN} ${FILLED} ${MIXED}`;
const TRACK = `flex h-4 w-7 items-center rounded-full ${DRAWN} ${FILLED}`;

interface CheckboxProps {
  readonly label: ReactNode;
  /** `mixed` stands over several of which some are checked. */
  readonly checked: boolean | 'mixed';
  readonly onChange: (checked: boolean) => void;
  readonly isLabelHidden?: boolean;
  readonly disabled?: boolean;
  readonly className?: string;
}

/** Chosen or not. */
export function Checkbox({
  label,
  checked,
  onChange,
  isLabelHidden = false,
  disabled = false,
  className = '',
}: CheckboxProps): ReactNode {
  const id = useId();
  return (
    <span
      className={`relative inline-flex min-h-6 min-w-6 items-center gap-2 ${isLabelHidden ? 'justify-center' : ''} ${className}`}
    >
      <RadixCheckbox.Root
        id={id}
        checked={checked === 'mixed' ? 'indeterminate' : checked}
        disabled={disabled}
        onCheckedChange={(next) => onChange(next === true)}
        // The square is 14 pixels; what can be hit is 24.
        className="group/box -m-[5px] inline-flex size-6 flex-none items-center justify-center outline-none"
      >
        <span className={SQUARE}>
          <RadixCheckbox.Indicator>
            {checked === 'mixed' ? (
              <Minus aria-hidden className="size-2.5" strokeWidth={4} />
            ) : (
              <Check aria-hidden className="size-2.5" strokeWidth={4} />
            )}
          </RadixCheckbox.Indicator>
        </span>
      </RadixCheckbox.Root>
      <label htmlFor={id} className={isLabelHidden ? 'sr-only' : `text-12 ${disabled ? 'text-tx-3' : 'text-tx-1'}`}>
        {label}
      </label>
    </span>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  /** What it brings about. */
  readonly hint?: ReactNode;
  readonly disabled?: boolean;
}

/** A setting that is on or off, at once. The label stands left, the switch right. */
export function Switch({ label, checked, onChange, hint, disabled = false }: SwitchProps): ReactNode {
  const id = useId();
  return (
    <div className="flex min-h-7 items-start gap-4">
      <div className="min-w-0 flex-1">
        <label htmlFor={id} className={`block text-13 ${disabled ? 'text-tx-3' : 'text-tx-1'}`}>
          {label}
        </label>
        {hint === undefined ? null : (
          <p id={`${id}-hint`} className="text-12 text-pretty text-tx-3">
            {hint}
          </p>
        )}
      </div>
      <RadixSwitch.Root
        id={id}
        checked={checked}
        disabled={disabled}
        onCheckedChange={onChange}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className="group/box -my-0.5 inline-flex h-6 w-7 flex-none items-center outline-none"
      >
        <span className={TRACK}>
          <RadixSwitch.Thumb className="block size-2.5 translate-x-0.5 rounded-full bg-tx-3 transition-transform duration-75 data-[state=checked]:translate-x-3.5 data-[state=checked]:bg-on-ink" />
        </span>
      </RadixSwitch.Root>
    </div>
  );
}
