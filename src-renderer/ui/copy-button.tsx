import { Check, Copy, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { Button, IconButton } from './button.tsx';
import { reachableScroller } from './reachable-scroller.ts';

/** How long a copy button says that it copied, in milliseconds. */
const SAYS_MS = 1_600;

type Outcome = 'copied' | 'refused' | undefined;

function useCopy(text: string): { readonly outcome: Outcome; readonly copy: () => void } {
  const [outcome, setOutcome] = useState<Outcome>();
  useEffect(() => {
    if (outcome === undefined) return undefined;
    const timer = setTimeout(() => setOutcome(undefined), SAYS_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setOutcome('copied'),
      () => setOutcome('refused'),
    );
  };
  return { outcome, copy };
}

function CopyMark({ outcome }: { readonly outcome: Outcome }): ReactNode {
  if (outcome === 'copied') return <Check aria-hidden className="size-3.5" />;
  if (outcome === 'refused') return <X aria-hidden className="size-3.5" />;
  return <Copy aria-hidden className="size-3.5" />;
}

const SAID = { copied: 'Copied', refused: 'Not copied: the browser refused' } as const;

interface CopyButtonProps {
  readonly text: string;
  /** Words on the button. Without, it shows an icon. */
  readonly label?: string;
  readonly size?: 'small' | 'normal' | 'large';
  /** quiet: beside something stronger. */
  readonly look?: 'outline' | 'quiet';
}

/** Copies a text, and says so. */
export function CopyButton({ text, label, size = 'normal', look = 'outline' }: CopyButtonProps): ReactNode {
  const { outcome, copy } = useCopy(text);
  const said = outcome === undefined ? undefined : SAID[outcome];
  return (
    <span className="relative inline-flex flex-none">
      {label === undefined ? (
        <IconButton label={said ?? 'Copy'} size={size} icon={<CopyMark outcome={outcome} />} onClick={copy} />
      ) : (
        <Button size={size} look={look} icon={<CopyMark outcome={outcome} />} onClick={copy}>
          {outcome === 'copied' ? 'Copied' : label}
        </Button>
      )}
      <span role="status" className="sr-only">
        {said}
      </span>
    </span>
  );
}

/** A line of code to be copied. Longer ones scroll in their frame: what is copied can be read whole. */
export function CopyLine({ text }: { readonly text: string }): ReactNode {
  return (
    <div className="flex min-w-0 items-center rounded-2 border border-hair-strong bg-well">
      <code
        // Another text is another box: whether it scrolls is looked at anew.
        key={text}
        ref={reachableScroller}
        className="font-code flex h-7 min-w-0 flex-1 items-center overflow-x-auto px-2.5 text-12 whitespace-pre text-t-fg [scrollbar-width:none]"
      >
        {text}
      </code>
      <span className="flex flex-none border-l border-hair">
        <CopyButton text={text} />
      </span>
    </div>
  );
}
