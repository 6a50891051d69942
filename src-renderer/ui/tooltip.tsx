import { Tooltip as RadixTooltip } from 'radix-ui';
import { createContext, use, useEffect } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { readableKeys } from './readable-keys.ts';

/** How long the pointer rests before a tooltip comes, in milliseconds. Beside one that is shown there is no wait. */
const DELAY_MS = 400;

const HasProvider = createContext(false);

/** Whether the focus is being moved by keys, now. Focus that a closing menu or dialog gives back is no reason to explain. */
let isMovedByKeys = false;

function noteKey({ key }: KeyboardEvent): void {
  isMovedByKeys = key === 'Tab' || key === 'Home' || key === 'End' || key.startsWith('Arrow');
}

function notePointer(): void {
  isMovedByKeys = false;
}

/** Stands once around the window: tooltips that follow one another come without delay. */
export function TooltipProvider({ children }: { readonly children: ReactNode }): ReactNode {
  useEffect(() => {
    document.addEventListener('keydown', noteKey, true);
    document.addEventListener('pointerdown', notePointer, true);
    return () => {
      document.removeEventListener('keydown', noteKey, true);
      document.removeEventListener('pointerdown', notePointer, true);
    };
  }, []);
  return (
    <RadixTooltip.Provider delayDuration={DELAY_MS} skipDelayDuration={200} disableHoverableContent>
      <HasProvider value={true}>{children}</HasProvider>
    </RadixTooltip.Provider>
  );
}

interface TooltipProps {
  /** What the control does. */
  readonly label: ReactNode;
  /** The keys that do the same, as commands write them ("ctrl+k"). */
  readonly shortcut?: string | undefined;
  readonly side?: 'top' | 'right' | 'bottom' | 'left';
  /** One element that takes a ref and the props of its kind. */
  readonly children: ReactElement;
}

/** A few words at a control, on hover and on keyboard focus. Never the only place of what must be known. */
export function Tooltip({ label, shortcut, side = 'bottom', children }: TooltipProps): ReactNode {
  const tooltip = (
    <RadixTooltip.Root>
      <RadixTooltip.Trigger
        asChild
        onFocus={(event) => {
          if (!isMovedByKeys) event.preventDefault();
        }}
      >
        {children}
      </RadixTooltip.Trigger>
      <RadixTooltip.Portal>
        <RadixTooltip.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="appear z-50 flex max-w-72 items-center gap-2 rounded-2 border border-hair-strong bg-bg-2 px-2 py-1 text-12 text-tx-1"
        >
          {label}
          {shortcut === undefined ? null : <span className="whitespace-nowrap text-tx-2">{readableKeys(shortcut)}</span>}
        </RadixTooltip.Content>
      </RadixTooltip.Portal>
    </RadixTooltip.Root>
  );
  return use(HasProvider) ? tooltip : <TooltipProvider>{tooltip}</TooltipProvider>;
}
