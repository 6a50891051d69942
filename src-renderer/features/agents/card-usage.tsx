import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { useSamples } from '#renderer/store/use-metrics.ts';
import { Sparkline } from '#renderer/ui/sparkline.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import { fullTime, shortDuration } from '#renderer/ui/format-time.ts';
import { bytesText, percentText } from './agent-figures.ts';

/** CPU below this, in percent of one core, is drawn on this scale: a quiet agent must not look busy. */
const LEAST_CPU_TOP = 100;
/** Memory is drawn from nothing to at least this, in bytes, for the same reason. */
const LEAST_MEMORY_TOP = 64 * 1024 * 1024;

interface CardUsageProps {
  readonly agentId: string;
  /** What stood in the samples when it ended is of no use. */
  readonly isRunning: boolean;
}

/** A course that has only begun is drawn at the right of this many samples: it grows to the left until it is full. */
const LEAST_SAMPLES = 24;

const NONE: readonly number[] = [];

/** The samples as they are drawn: nothing before the first. */
function course(values: readonly number[]): readonly (number | null)[] {
  return [...Array.from({ length: Math.max(0, LEAST_SAMPLES - values.length) }, () => null), ...values];
}

/** What an agent used of the machine lately, drawn and in figures. */
export function CardUsage({ agentId, isRunning }: CardUsageProps): ReactNode {
  const samples = useSamples(agentId);
  const cpu = isRunning ? (samples?.cpu ?? NONE) : NONE;
  const memory = isRunning ? (samples?.memoryBytes ?? NONE) : NONE;
  return (
    <>
      <Course
        word="cpu"
        label={`CPU of ${agentId}`}
        values={cpu}
        least={LEAST_CPU_TOP}
        format={percentText}
        className="w-28 max-[480px]:w-auto"
      />
      <Course
        word="mem"
        label={`Memory of ${agentId}`}
        values={memory}
        least={LEAST_MEMORY_TOP}
        format={bytesText}
        className=""
      />
    </>
  );
}

interface CourseProps {
  readonly word: string;
  readonly label: string;
  readonly values: readonly number[];
  readonly least: number;
  readonly format: (value: number) => string;
  readonly className: string;
}

function Course({ word, label, values, least, format, className }: CourseProps): ReactNode {
  const last = values.at(-1);
  const drawn = useMemo(() => course(values), [values]);
  return (
    <span className={`inline-flex flex-none items-center gap-[5px] ${className}`}>
      {last === undefined ? (
        <svg aria-hidden viewBox="0 0 40 14" width={40} height={14} className="flex-none text-tx-3 max-[480px]:hidden">
          <path d="M0 13.5h40" stroke="currentColor" strokeWidth={1.25} />
        </svg>
      ) : (
        // Above the card's link, for its scale on hover.
        <span className="relative z-1 inline-flex h-[15px] items-start border-b border-hair-strong max-[480px]:hidden">
          <Sparkline values={drawn} max={Math.max(least, 1.3 * Math.max(...values))} label={label} format={format} />
        </span>
      )}
      <span className="text-tx-3">{word}</span>
      <span className="figures whitespace-nowrap text-tx-2">{last === undefined ? '–' : format(last)}</span>
    </span>
  );
}

/** How long a run has lasted. `since` in milliseconds since the epoch; undefined while none does. */
export function Uptime({ since }: { readonly since: number | undefined }): ReactNode {
  return since === undefined ? <span className="figures text-tx-3">–</span> : <RunningFor since={since} />;
}

function RunningFor({ since }: { readonly since: number }): ReactNode {
  const now = useNow(1_000);
  return (
    <span className="figures whitespace-nowrap text-tx-2" title={`Started ${fullTime(since)}`}>
      {shortDuration(now - since)}
    </span>
  );
}
