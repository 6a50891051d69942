import { CheckCheck, CircleX } from 'lucide-react';
import type { ReactNode } from 'react';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import type { DeliveryLook } from './message-words.ts';

/** How many of the three steps (queued, delivered, acknowledged) were done. */
const DONE: Readonly<Partial<Record<DeliveryLook['icon'], number>>> = { queued: 1, delivered: 2, unknown: 0 };

/** Where a message stands, as a shape: the steps on its way, filled as far as it got; ticks at the end; a cross for death. */
export function DeliveryMark({ icon }: { readonly icon: DeliveryLook['icon'] }): ReactNode {
  if (icon === 'needs') return <StateMark look={{ shape: 'triangle', tone: 'needs', word: '' }} />;
  if (icon === 'dead') return <CircleX aria-hidden className="size-3 flex-none" />;
  if (icon === 'acknowledged') return <CheckCheck aria-hidden className="size-3 flex-none text-tx-3" />;
  const done = DONE[icon] ?? 0;
  return (
    <svg aria-hidden viewBox="0 0 22 12" className="h-3 w-[22px] flex-none text-tx-3" fill="none" stroke="currentColor">
      <path d="M6 6h2M14 6h2" strokeWidth="1.2" />
      {[3, 11, 19].map((x, step) => (
        <circle key={x} cx={x} cy="6" r="2.2" strokeWidth="1.2" fill={step < done ? 'currentColor' : 'none'} />
      ))}
    </svg>
  );
}
