import type { ReactNode } from 'react';

/** What a state is drawn with: the shape tells it apart where colours cannot. */
export interface StateLook {
  readonly shape: 'dot' | 'half' | 'triangle' | 'cross' | 'bars' | 'ring' | 'dashes' | 'quarter' | 'question';
  readonly tone: 'working' | 'idle' | 'needs' | 'failed' | 'paused' | 'stopped';
  readonly word: string;
}

const TEXT_TONES: Readonly<Record<StateLook['tone'], string>> = {
  working: 'text-st-working',
  idle: 'text-st-idle',
  needs: 'text-needs',
  failed: 'text-st-failed',
  paused: 'text-st-paused',
  stopped: 'text-st-stopped',
};

const MARK_TONES: Readonly<Record<StateLook['tone'], string>> = { ...TEXT_TONES, needs: 'text-needs-mark' };

const stroke = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.6, strokeLinecap: 'round' } as const;

/** The shapes, drawn into 12 by 12. */
const SHAPES: Readonly<Record<StateLook['shape'], ReactNode>> = {
  dot: <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  half: (
    <>
      <circle cx="6" cy="6" r="4.2" {...stroke} strokeWidth={1.4} />
      <path d="M6 1.8a4.2 4.2 0 0 0 0 8.4z" fill="currentColor" />
    </>
  ),
  triangle: <path d="M6 1.2 11.4 10.6H.6z" fill="currentColor" />,
  cross: <path d="m2.4 2.4 7.2 7.2m0-7.2-7.2 7.2" {...stroke} strokeWidth={2} />,
  bars: <path d="M3.4 1.8h1.9v8.4H3.4zm3.4 0h1.9v8.4H6.8z" fill="currentColor" />,
  ring: <circle cx="6" cy="6" r="4.2" {...stroke} strokeWidth={1.4} />,
  dashes: <circle cx="6" cy="6" r="4.2" {...stroke} strokeDasharray="2 2.4" />,
  quarter: (
    <>
      <circle cx="6" cy="6" r="4.2" {...stroke} strokeWidth={1.4} />
      <path d="M6 6V1.8A4.2 4.2 0 0 1 10.2 6z" fill="currentColor" />
    </>
  ),
  question: <path d="M3.6 4.2A2.4 2.4 0 1 1 6.7 6.4q-.7.3-.7 1.1M6 10v.1" {...stroke} strokeWidth={1.7} />,
};

/** Shape and colour. The word stands beside it, or is given as `label` where there is no room. */
export function StateMark({ look, label }: { readonly look: StateLook; readonly label?: string }): ReactNode {
  const named = label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label };
  return (
    <svg viewBox="0 0 12 12" className={`size-3 flex-none ${MARK_TONES[look.tone]}`} {...named}>
      {SHAPES[look.shape]}
    </svg>
  );
}

/** The word of a state in its colour. */
export function StateWord({ look }: { readonly look: StateLook }): ReactNode {
  return <span className={`font-medium whitespace-nowrap ${TEXT_TONES[look.tone]}`}>{look.word}</span>;
}
