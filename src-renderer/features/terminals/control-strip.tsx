import { CircleStop, Eye, Keyboard, Unplug } from 'lucide-react';
import { useRef } from 'react';
import type { ReactNode, Ref } from 'react';
import { Badge } from '#renderer/ui/badge.tsx';
import { Button } from '#renderer/ui/button.tsx';
import { clockTime, fullTime } from '#renderer/ui/format-time.ts';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { useToastClearance } from '#renderer/ui/toast-clearance.ts';
import { holderWords } from './control-words.ts';
import type { ScreenState } from './screen-state.ts';
import { hasKeyboard } from './screen-state.ts';

/** Ends after which the same run can be shown again. The others end with the agent; its next start is a new terminal. */
const REOPENABLE: ReadonlySet<string> = new Set(['DETACHED', 'UNAVAILABLE', 'INTERNAL', 'TOO_MANY_REQUESTS']);

interface ControlStripProps {
  readonly state: ScreenState;
  readonly onTake: (isForced: boolean) => void;
  readonly onRelease: () => void;
  readonly onReopen: () => void;
  /** The button that takes the keyboard from somebody: Ctrl Enter goes to it, and does not press it. */
  readonly takeOver: Ref<HTMLButtonElement>;
  /** What can be done with an agent that ended. */
  readonly endedAction: ReactNode;
}

interface Saying {
  readonly title: string;
  readonly detail: string;
  /** Left out where there is little room. */
  readonly aside?: string;
}

function sayingOf(state: ScreenState): Saying {
  const { kind, control, end, takenBy } = state;
  if (kind === 'opening') return { title: 'Opening the terminal.', detail: '' };
  if (kind === 'lost')
    return { title: 'Cut off.', detail: 'What you see is the last that came.', aside: 'It comes back with its whole screen.' };
  if (kind === 'ended') return { title: 'Ended.', detail: end?.message ?? '' };
  const holder = control?.holder;
  if (hasKeyboard(state)) return { title: 'You have the keyboard.', detail: 'Nothing else types meanwhile.' };
  if (holder && takenBy) return { title: `${holderWords(holder)} took the keyboard over.`, detail: 'Your keys go nowhere now.' };
  if (holder)
    return {
      title: `${holderWords(holder)} has the keyboard`,
      detail: `since ${clockTime(holder.since).slice(0, 5)}.`,
      aside: 'Keys you press go nowhere.',
    };
  return { title: 'Watching.', detail: 'Keys you press go nowhere.' };
}

/** Who has the keyboard, and how to get or give it. Ink while it is here. */
export function ControlStrip(props: ControlStripProps): ReactNode {
  const { state, onTake, onRelease, onReopen, takeOver, endedAction } = props;
  const { kind, control, refusal, strayKeys, end } = state;
  const strip = useRef<HTMLDivElement>(null);
  useToastClearance(strip);
  const isTyping = hasKeyboard(state);
  const { title, detail, aside } = sayingOf(state);
  const viewers = control?.viewers ?? 0;
  const Icon = kind === 'lost' ? Unplug : kind === 'ended' ? CircleStop : isTyping ? Keyboard : Eye;
  return (
    <div
      ref={strip}
      className={`flex min-h-10 flex-none items-center gap-3 border-t py-1.5 pr-2 pl-4 text-12 ${
        isTyping ? 'border-ink bg-ink text-on-ink' : 'border-hair bg-bg-1 text-tx-2'
      }`}
    >
      <Icon aria-hidden className="size-3.5 flex-none" />
      {/* A key that went nowhere is worth a look at why: the words come anew. */}
      <span key={strayKeys} role="status" className={`min-w-0 flex-1 ${strayKeys > 0 && !isTyping ? 'appear' : ''}`}>
        <strong className={`font-strong ${isTyping ? '' : 'text-tx-1'}`}>{title}</strong> {refusal ? refusal.message : detail}
        {aside === undefined || refusal ? null : <span className="hidden min-[1400px]:inline"> {aside}</span>}
      </span>
      {viewers > 1 ? (
        <span className={isTyping ? 'flex-none whitespace-nowrap' : 'hidden flex-none wide:inline-flex'}>
          {isTyping ? (
            `${viewers - 1} ${viewers === 2 ? 'watches' : 'watch'}`
          ) : (
            <Badge
              size="small"
              icon={<Eye aria-hidden className="size-3" />}
              title="Views of this agent's terminal, yours included"
            >
              <span className="figures">{viewers}</span> viewers
            </Badge>
          )}
        </span>
      ) : null}
      {kind === 'live' ? <ControlButton {...{ state, isTyping, onTake, onRelease, takeOver }} /> : null}
      {kind === 'ended' && end !== undefined && REOPENABLE.has(end.code) ? <Button onClick={onReopen}>Open again</Button> : null}
      {kind === 'ended' ? endedAction : null}
    </div>
  );
}

interface ControlButtonProps extends Pick<ControlStripProps, 'state' | 'onTake' | 'onRelease' | 'takeOver'> {
  readonly isTyping: boolean;
}

function ControlButton({ state, isTyping, onTake, onRelease, takeOver }: ControlButtonProps): ReactNode {
  const icon = <Keyboard aria-hidden className="size-3.5" />;
  const holder = state.control?.holder;
  if (isTyping)
    return (
      <Button
        icon={icon}
        onClick={onRelease}
        className="border-on-ink/45! text-on-ink! hover:bg-on-ink/12! focus-visible:outline-on-ink!"
      >
        Release
        <KeyHint>Ctrl Enter</KeyHint>
      </Button>
    );
  if (holder)
    return (
      <Button
        ref={takeOver}
        icon={icon}
        onClick={() => onTake(true)}
        title={`Since ${fullTime(holder.since)}. They are told that you took it.`}
      >
        {state.takenBy ? 'Take it back' : 'Take it over'}
      </Button>
    );
  return (
    <Button icon={icon} disabled={state.control === undefined} onClick={() => onTake(false)}>
      Take control
      <KeyHint>Ctrl Enter</KeyHint>
    </Button>
  );
}
