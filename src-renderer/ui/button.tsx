import type { ButtonHTMLAttributes, ReactNode } from 'react';

/** ink: the one answer of a decision. outline: everything else. quiet: beside something stronger. */
type ButtonLook = 'ink' | 'outline' | 'quiet';

const LOOKS: Readonly<Record<ButtonLook, string>> = {
  ink: 'border-ink bg-ink text-on-ink enabled:hover:bg-ink-hover disabled:border-hair disabled:bg-bg-2 disabled:text-tx-3',
  outline: 'border-hair-strong text-tx-1 enabled:hover:bg-bg-2 disabled:border-hair disabled:text-tx-3 aria-pressed:bg-bg-2',
  quiet: 'border-transparent text-tx-2 enabled:hover:bg-bg-2 enabled:hover:text-tx-1 disabled:text-tx-3',
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: ButtonLook;
  readonly size?: 'small' | 'normal';
  readonly icon?: ReactNode;
}

/** A button with words. */
export function Button({ look = 'outline', size = 'normal', icon, children, className = '', ...rest }: ButtonProps): ReactNode {
  const box = size === 'small' ? 'h-6 px-2' : 'h-7 px-2.5';
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex flex-none items-center justify-center gap-1.5 rounded-2 border text-12 font-medium whitespace-nowrap ${box} ${LOOKS[look]} ${className}`}
    >
      {icon}
      {children}
    </button>
  );
}
