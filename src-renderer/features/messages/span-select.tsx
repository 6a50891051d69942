import { useState } from 'react';
import type { ReactNode } from 'react';
import { Select } from '#renderer/ui/select.tsx';
import { spanText } from './message-words.ts';

const MINUTE_MS = 60_000;
const NONE = 'none';
const CUSTOM = 'custom';
/** The spans that are offered, in milliseconds. */
const SPANS = [5 * MINUTE_MS, 30 * MINUTE_MS, 120 * MINUTE_MS, 1_440 * MINUTE_MS];

interface SpanSelectProps {
  readonly label: string;
  /** What stands for no span: "never", "now". */
  readonly none: string;
  /** What stands before a span. */
  readonly before?: string;
  /** What the field for a span that is not offered is called. */
  readonly customLabel: string;
  /** The longest, in milliseconds. */
  readonly most: number;
  /** Milliseconds; null: none. */
  readonly value: number | null;
  readonly onChange: (ms: number | null) => void;
}

/** A span of time: one that is offered, or so many minutes. */
export function SpanSelect({ label, none, before = '', customLabel, most, value, onChange }: SpanSelectProps): ReactNode {
  const isOffered = value === null || SPANS.includes(value);
  const [isCustom, setCustom] = useState(!isOffered);
  const shown = isCustom && value !== null ? CUSTOM : value === null ? NONE : String(value);
  return (
    <span className="inline-flex flex-none items-center gap-1">
      <Select
        label={label}
        value={shown}
        options={[
          { value: NONE, text: none },
          ...SPANS.map((ms) => ({ value: String(ms), text: `${before}${spanText(ms)}` })),
          { value: CUSTOM, text: 'after …' },
        ]}
        className="h-6!"
        onChange={(chosen) => {
          setCustom(chosen === CUSTOM);
          if (chosen === CUSTOM) onChange(value ?? 10 * MINUTE_MS);
          else onChange(chosen === NONE ? null : Number(chosen));
        }}
      />
      {shown === CUSTOM ? (
        <label className="inline-flex items-center gap-1 text-12 text-tx-3">
          <input
            type="number"
            min={1}
            max={most / MINUTE_MS}
            aria-label={customLabel}
            value={value === null ? '' : Math.round(value / MINUTE_MS)}
            onChange={(event) => {
              const minutes = Math.min(Math.max(1, Math.round(Number(event.target.value))), most / MINUTE_MS);
              if (Number.isFinite(minutes)) onChange(minutes * MINUTE_MS);
            }}
            className="figures h-6 w-18 rounded-2 border border-hair-strong bg-field-bg px-1.5 text-12 text-tx-1"
          />
          min
        </label>
      ) : null}
    </span>
  );
}
