import { ShieldCheck, ShieldOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { Badge, CountBadge } from '#renderer/ui/badge.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { Logo } from '#renderer/ui/logo.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { RiskMark } from '#renderer/ui/risk-mark.tsx';
import { Sparkline } from '#renderer/ui/sparkline.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { Specimen } from '../specimen.tsx';

const LOOKS: readonly StateLook[] = [
  { shape: 'dot', tone: 'working', word: 'Working' },
  { shape: 'half', tone: 'idle', word: 'Idle' },
  { shape: 'triangle', tone: 'needs', word: 'Needs you' },
  { shape: 'cross', tone: 'failed', word: 'Failed' },
  { shape: 'bars', tone: 'paused', word: 'Paused' },
  { shape: 'ring', tone: 'stopped', word: 'Stopped' },
  { shape: 'dashes', tone: 'idle', word: 'Starting' },
  { shape: 'quarter', tone: 'idle', word: 'Waiting' },
  { shape: 'question', tone: 'failed', word: 'Lost' },
];
const WAVE = Array.from({ length: 60 }, (_, index) => 40 + 35 * Math.sin(index / 5) + ((index * 13) % 11));
const GAPS = WAVE.map((value, index) => (index > 20 && index < 30 ? null : value / 3));
const percent = (value: number): string => `${Math.round(value)}%`;
/** A fixed time, so that the page looks the same whenever it is looked at. */
const LONG_AGO = Date.UTC(2025, 2, 4, 12);

export function MarkPage(): ReactNode {
  return (
    <>
      <Specimen title="States: shape, colour, word">
        <div className="row">
          {LOOKS.map((look) => (
            <span key={look.word} className="row" style={{ gap: 6 }}>
              <StateMark look={look} />
              <StateWord look={look} />
            </span>
          ))}
        </div>
      </Specimen>
      <Specimen title="Risk: bars and a word">
        <div className="row">
          <RiskMark risk="LOW" />
          <RiskMark risk="MEDIUM" />
          <RiskMark risk="HIGH" />
          <RiskMark risk="CRITICAL" />
        </div>
      </Specimen>
      <Specimen title="Badges and counts">
        <div className="row">
          <Badge icon={<ShieldCheck aria-hidden className="size-3.5 flex-none text-st-working" />} title="Tested 8 s ago">
            container · net 2 hosts
          </Badge>
          <Badge icon={<ShieldOff aria-hidden className="size-3.5 flex-none text-st-failed" />}>host, not contained</Badge>
          <Badge size="small">claude-code</Badge>
          <CountBadge count={2} label="2 questions for you" tone="needs" />
          <CountBadge count={120} label="120 questions for you" tone="needs" />
          <CountBadge count={7} label="7 unread" />
          <CountBadge count={0} label="nothing" />
        </div>
      </Specimen>
      <Specimen title="Courses">
        <div className="row">
          <Sparkline values={WAVE} max={100} label="CPU of ada" format={percent} />
          <Sparkline values={WAVE} max={200} label="CPU of ben" format={percent} />
          <Sparkline values={GAPS} label="CPU of cleo" format={percent} width={200} height={20} />
          <Sparkline values={[0, 0, 0, 0]} max={100} label="CPU of dan" format={percent} />
          <Sparkline values={[null, null]} max={100} label="CPU of eve" format={percent} />
        </div>
      </Specimen>
      <Specimen title="Keys, time, logo">
        <div className="row">
          <KeyHint>ctrl+k</KeyHint>
          <KeyHint>g f</KeyHint>
          <KeyHint>?</KeyHint>
          <KeyHint>arrowdown</KeyHint>
          <RelativeTime at={LONG_AGO} />
          <Logo />
        </div>
      </Specimen>
    </>
  );
}
