import { Check, ChevronDown, ChevronRight, HelpCircle, X } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { inOrder } from './proof-words.ts';

const MARKS: Readonly<Record<ProofCheck['outcome'], { readonly mark: ReactNode; readonly word: string }>> = {
  held: { mark: <Check aria-hidden className="size-3.5 text-st-working" />, word: 'held' },
  broken: { mark: <X aria-hidden className="size-3.5 text-st-failed" />, word: 'broken' },
  unknown: { mark: <HelpCircle aria-hidden className="size-3.5 text-tx-3" />, word: 'not tried' },
};

/** Of what held so many are shown at first: the page is to be taken in at a look. */
const HELD_SHOWN = 8;

/** What was tried, from where, and what happened; what does not hold is first and open. */
export function ProofTable({ checks, label }: { readonly checks: readonly ProofCheck[]; readonly label: string }): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const ordered = inOrder(checks);
  const open = ordered.filter(({ outcome }) => outcome !== 'held').length;
  // One more row says no less than a button that shows it.
  const shown = isWhole || ordered.length <= open + HELD_SHOWN + 1 ? ordered : ordered.slice(0, open + HELD_SHOWN);
  const hidden = ordered.length - shown.length;
  return (
    <div className="flex flex-col items-start gap-1.5">
      <ul aria-label={label} className="w-full overflow-hidden rounded-2 border border-hair">
        {shown.map((check) => (
          <CheckRow key={check.id} check={check} />
        ))}
      </ul>
      {hidden > 0 ? (
        <Button size="small" look="quiet" onClick={() => setWhole(true)}>
          Show {hidden} more that held
        </Button>
      ) : null}
    </div>
  );
}

function CheckRow({ check }: { readonly check: ProofCheck }): ReactNode {
  const { title, tried, found, outcome, from } = check;
  const [isOpen, setOpen] = useState(outcome !== 'held');
  const { mark, word } = MARKS[outcome];
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <li className={`border-b border-hair last:border-b-0 ${outcome === 'broken' ? 'bg-failed-bg' : ''}`}>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen((was) => !was)}
        className="flex min-h-7 w-full items-center gap-2 px-2.5 py-1 text-left text-12 -outline-offset-2 hover:bg-bg-2"
      >
        <span className="flex-none">{mark}</span>
        <span className="min-w-0 flex-1 text-tx-1">{visibleText(title)}</span>
        <span className="flex-none text-tx-3">{from}</span>
        <span className={`flex-none ${outcome === 'broken' ? 'text-st-failed' : 'text-tx-2'}`}>{word}</span>
        <Chevron aria-hidden className="size-3.5 flex-none text-tx-3" />
      </button>
      {isOpen ? (
        <dl className="grid grid-cols-[56px_minmax(0,1fr)] gap-x-2 gap-y-0.5 px-2.5 pb-2 pl-8 text-12">
          <dt className="text-tx-3">{from === 'inside' ? 'Tried' : 'Read'}</dt>
          <dd className="font-code [overflow-wrap:anywhere] text-tx-2">{visibleText(tried)}</dd>
          <dt className="text-tx-3">Found</dt>
          <dd className="font-code [overflow-wrap:anywhere] text-tx-1">{visibleText(found)}</dd>
          <dt className="text-tx-3">From</dt>
          <dd className="text-tx-2">{from === 'inside' ? 'inside the box' : 'outside, by the core'}</dd>
        </dl>
      ) : null}
    </li>
  );
}
