import type { ReactNode } from 'react';
import { agoText, fullTime } from './format-time.ts';
import { useNow } from './use-now.ts';

/** How often relative times are renewed, in milliseconds. */
const RENEWED_EVERY_MS = 10_000;

/** How long ago something was; the date and time on hover. `at` in milliseconds since the epoch. */
export function RelativeTime({ at, className = '' }: { readonly at: number; readonly className?: string }): ReactNode {
  const now = useNow(RENEWED_EVERY_MS);
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)} className={`whitespace-nowrap ${className}`}>
      {agoText(at, now)}
    </time>
  );
}
