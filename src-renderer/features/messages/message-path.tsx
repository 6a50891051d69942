import type { ReactNode } from 'react';
import { DeliveryMark } from './delivery-mark.tsx';
import type { DeliveryLook } from './message-words.ts';

/** Where the copies of a message stand, beside it. */
export function MessagePath({ look }: { readonly look: DeliveryLook }): ReactNode {
  const tones = { quiet: 'text-tx-2', dead: 'text-st-failed', needs: 'text-needs' } as const;
  return (
    <div className="order-3 col-span-2 min-w-0 text-12 leading-[18px] text-tx-3 @2xl:order-none @2xl:col-span-1 @2xl:text-right">
      <span className={`inline-flex max-w-full items-center gap-[5px] align-top ${tones[look.tone]}`}>
        <DeliveryMark icon={look.icon} />
        <span className="truncate">{look.words}</span>
      </span>
      {look.steps.length === 0 ? null : (
        <span className="ml-2 @2xl:ml-0 @2xl:block">
          {look.steps.map((step, index) => (
            <span key={step} className="whitespace-nowrap">
              {index === 0 ? '' : ' · '}
              <StepText text={step} />
            </span>
          ))}
        </span>
      )}
    </div>
  );
}

/** Words in the face of words, figures in theirs. */
function StepText({ text }: { readonly text: string }): ReactNode {
  const at = text.search(/[+\d]/);
  if (at <= 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <span className="figures">{text.slice(at)}</span>
    </>
  );
}
