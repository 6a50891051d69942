import type { ComponentProps, ReactNode } from 'react';
import { ariaKeys } from './readable-keys.ts';
import { Tooltip } from './tooltip.tsx';

/**
 * ink: the one answer of a decision. outline: everything else. quiet: beside something stronger.
 * danger: refuses or destroys; its words are red, its frame is not.
 */
export type ButtonLook = 'ink' | 'outline' | 'quiet' | 'danger';
/** 24, 28 and 32 pixels high: in rows, in bars, where something is decided. */
export type ButtonSize = 'small' | 'normal' | 'large';

const LOOKS: Readonly<Record<ButtonLook, string>> = {
  ink: 'border-ink bg-ink text-on-ink enabled:hover:border-ink-hover enabled:hover:bg-ink-hover disabled:border-hair disabled:bg-bg-2 disabled:text-tx-3 focus-visible:outline-offset-1',
  outline:
    'border-hair-strong text-tx-1 enabled:hover:bg-bg-2 enabled:active:bg-bg-2 aria-expanded:bg-bg-2 aria-pressed:bg-bg-2 disabled:border-hair disabled:text-tx-3',
  quiet:
    'border-transparent text-tx-2 enabled:hover:bg-bg-2 enabled:hover:text-tx-1 aria-expanded:bg-bg-2 aria-expanded:text-tx-1 aria-pressed:bg-bg-2 aria-pressed:text-tx-1 disabled:text-tx-3',
  danger:
    'border-hair-strong text-st-failed enabled:hover:border-failed-line enabled:hover:bg-failed-bg disabled:border-hair disabled:text-tx-3',
};

const SIZES: Readonly<Record<ButtonSize, string>> = {
  small: 'h-6 gap-1 px-2',
  normal: 'h-7 gap-1.5 px-2.5',
  large: 'h-8 gap-1.5 px-3',
};

const SQUARES: Readonly<Record<ButtonSize, string>> = { small: 'size-6', normal: 'size-7', large: 'size-8' };

const BASE =
  'inline-flex flex-none items-center justify-center rounded-2 border text-12 font-medium whitespace-nowrap transition-colors duration-75';

interface ButtonProps extends ComponentProps<'button'> {
  readonly look?: ButtonLook;
  readonly size?: ButtonSize;
  readonly icon?: ReactNode;
}

/** A button with words. */
export function Button({ look = 'outline', size = 'normal', icon, children, className = '', ...rest }: ButtonProps): ReactNode {
  return (
    <button type="button" {...rest} className={`${BASE} ${SIZES[size]} ${LOOKS[look]} ${className}`}>
      {icon}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<ComponentProps<'button'>, 'aria-label' | 'aria-pressed' | 'children'> {
  /** What it does: its name for screen readers, and its tooltip. */
  readonly label: string;
  readonly icon: ReactNode;
  /** The keys that do the same, as commands write them. */
  readonly shortcut?: string | undefined;
  readonly size?: ButtonSize;
  readonly look?: ButtonLook;
  /** For a button that switches something on and off. */
  readonly pressed?: boolean;
}

/** A button with an icon only. Its name is shown on hover and focus. */
export function IconButton(props: IconButtonProps): ReactNode {
  const { label, icon, shortcut, size = 'normal', look = 'quiet', pressed, className = '', ...rest } = props;
  return (
    <Tooltip label={label} shortcut={shortcut}>
      <button
        type="button"
        {...rest}
        aria-label={label}
        aria-keyshortcuts={ariaKeys(shortcut)}
        aria-pressed={pressed}
        className={`${BASE} ${SQUARES[size]} ${LOOKS[look]} ${className}`}
      >
        {icon}
      </button>
    </Tooltip>
  );
}
