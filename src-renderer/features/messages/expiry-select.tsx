import { useState } from 'react';
import type { ReactNode } from 'react';
import { Select } from '#renderer/ui/select.tsx';
import { MAX_TTL_MS } from '#shared/messages/model.ts';
import { spanText } from './message-words.ts';

const MINUTE_MS = 60_000;
const NEVER = 'never';
const CUSTOM = 'custom';
/** The ends that are offered, in milliseconds. */
const SPANS = [5 * MINUTE_MS, 30 * MINUTE_MS, 120 * MINUTE_MS, 1_440 * MINUTE_MS];

const OPTIONS = [
  { value: NEVER, text: 'never' },
  ...SPANS.map((ms) => ({ value: String(ms), text: spanText(ms) })),
  { value: CUSTOM, text: 'after …' },
];

interface ExpirySelectProps {
  /** Milliseconds until the message expires; null: never. */
  readonly value: number | null;
  readonly onChange: (ttlMs: number | null) => void;
}

/** When a message that nobody has acknowledged stops to be handed out. */
export function ExpirySelect({ value, onChange }: ExpirySelectProps): ReactNode {
  const isOffered = value === null || SPANS.includes(value);
  const [isCustom, setCustom] = useState(!isOffered);
  const shown = isCustom ? CUSTOM : value === null ? NEVER : String(value);
  return (
    <span className="inline-flex flex-none items-center gap-1">
      <Select
        label="Expires"
        value={shown}
        options={OPTIONS}
        className="h-6!"
        onChange={(chosen) => {
          setCustom(chosen === CUSTOM);
          if (chosen === CUSTOM) onChange(value ?? 10 * MINUTE_MS);
          else onChange(chosen === NEVER ? null : Number(chosen));
        }}
      />
      {isCustom ? (
        <label className="inline-flex items-center gap-1 text-12 text-tx-3">
          <input
            type="number"
            min={1}
            max={MAX_TTL_MS / MINUTE_MS}
            aria-label="Minutes until it expires"
            value={value === null ? '' : Math.round(value / MINUTE_MS)}
            onChange={(event) => {
              const minutes = Math.min(Math.max(1, Math.round(Number(event.target.value))), MAX_TTL_MS / MINUTE_MS);
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
