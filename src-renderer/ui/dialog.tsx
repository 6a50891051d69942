import { X } from 'lucide-react';
import { Dialog as RadixDialog } from 'radix-ui';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { IconButton } from './button.tsx';
import { reachableScroller } from './reachable-scroller.ts';

/** 400, 560 and 880 pixels wide. */
export type DialogSize = 'small' | 'normal' | 'wide';

const WIDTHS: Readonly<Record<DialogSize, string>> = { small: 'w-100', normal: 'w-140', wide: 'w-220' };

/** What had the focus; for an item of a menu, which goes with its menu, the button of the menu. */
function openerOf(active: Element | null): HTMLElement | null {
  const menu = active?.closest('[role=menu]');
  const opener = menu ? document.querySelector(`[aria-controls="${CSS.escape(menu.id)}"]`) : active;
  return opener instanceof HTMLElement ? opener : null;
}

interface DialogProps {
  readonly isOpen: boolean;
  /** Escape, the cross, or a press beside it. */
  readonly onClose: () => void;
  readonly title: string;
  readonly description?: ReactNode;
  /** Buttons, the answer last. */
  readonly footer?: ReactNode;
  readonly size?: DialogSize;
  readonly children?: ReactNode;
}

/** Something that has to be finished or left before the page goes on. Keeps the focus, and gives it back. */
export function Dialog({ isOpen, onClose, title, description, footer, size = 'normal', children }: DialogProps): ReactNode {
  // Who opened it, noted before anything in it takes the focus.
  const [wasOpen, setWasOpen] = useState(false);
  const [opener, setOpener] = useState<HTMLElement | null>(null);
  if (isOpen !== wasOpen) {
    setWasOpen(isOpen);
    if (isOpen) setOpener(openerOf(document.activeElement));
  }
  return (
    <RadixDialog.Root open={isOpen} onOpenChange={(open) => (open ? undefined : onClose())}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="appear fixed inset-0 z-40 grid grid-cols-[minmax(0,1fr)] place-items-center overflow-y-auto bg-scrim p-4">
          <RadixDialog.Content
            {...(description === undefined ? { 'aria-describedby': undefined } : {})}
            onInteractOutside={(event) => {
              // A toast stands above: answering it is not leaving the dialog.
              if (event.target instanceof Element && event.target.closest('[data-sonner-toaster]')) event.preventDefault();
            }}
            onCloseAutoFocus={(event) => {
              if (opener?.isConnected !== true) return;
              event.preventDefault();
              opener.focus();
            }}
            className={`flex max-h-[calc(100vh-32px)] max-w-full flex-col rounded-3 border border-hair-strong bg-bg-1 text-tx-1 focus:outline-none ${WIDTHS[size]}`}
          >
            <header className="flex flex-none items-start gap-3 border-b border-hair py-2.5 pr-2.5 pl-4">
              <div className="min-w-0 flex-1 py-0.5">
                <RadixDialog.Title className="text-14 font-strong break-words">{title}</RadixDialog.Title>
                {description === undefined ? null : (
                  <RadixDialog.Description className="mt-0.5 text-12 text-pretty text-tx-2">
                    {description}
                  </RadixDialog.Description>
                )}
              </div>
              <RadixDialog.Close asChild>
                <IconButton label="Close" shortcut="escape" icon={<X aria-hidden className="size-4" />} />
              </RadixDialog.Close>
            </header>
            {children === undefined ? null : (
              <div ref={reachableScroller} className="min-h-0 flex-1 overflow-y-auto px-4 py-3">
                {children}
              </div>
            )}
            {footer === undefined ? null : (
              <footer className="flex flex-none flex-wrap items-center justify-end gap-2 border-t border-hair px-4 py-2.5">
                {footer}
              </footer>
            )}
          </RadixDialog.Content>
        </RadixDialog.Overlay>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}
