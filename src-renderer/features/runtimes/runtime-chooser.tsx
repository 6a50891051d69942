import type { ReactNode } from 'react';
import { CopyLine } from '#renderer/ui/copy-button.tsx';
import { RadioCards } from '#renderer/ui/radio-cards.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import type { RuntimeKind, Sandbox } from '#shared/runtimes/model.ts';
import type { Place } from './runtime-words.ts';
import { configOf, PLACE_WORDS, PLACES, placeOf, placeState } from './runtime-words.ts';
import type { Runtimes } from './use-images.ts';

interface RuntimeChooserProps {
  readonly runtime: RuntimeKind | '';
  readonly sandbox: Sandbox | '';
  readonly onChange: (chosen: { readonly runtime: RuntimeKind; readonly sandbox: Sandbox }) => void;
  /** undefined before it is known. */
  readonly known: Runtimes | undefined;
  readonly problem: string | undefined;
}

/** Where an agent runs, the strongest boundary first. What is not there says why, and what mends it. */
export function RuntimeChooser({ runtime, sandbox, onChange, known, problem }: RuntimeChooserProps): ReactNode {
  if (known === undefined)
    return problem === undefined ? (
      <SkeletonText lines={5} />
    ) : (
      <p role="alert" className="text-12 text-st-failed">
        What there is on this machine is not known. {problem}
      </p>
    );
  const chosen = placeOf(runtime, sandbox);
  // Bubblewrap around a plain terminal is for machines without tmux: elsewhere it only makes the list longer.
  const hasTmux = placeState('tmux', known).isAvailable;
  const places = PLACES.filter((place) => place !== 'pty+bubblewrap' || !hasTmux || chosen === place);
  return (
    <RadioCards<Place>
      label="Runtime"
      value={chosen}
      onChange={(place) => onChange(configOf(place))}
      options={places.map((place) => {
        const { isAvailable, version, problem: why, remedy, notes } = placeState(place, known);
        const { title, text } = PLACE_WORDS[place];
        return {
          value: place,
          title,
          aside: isAvailable ? version : 'not available here',
          text: isAvailable ? text : (why ?? text),
          isDisabled: !isAvailable && chosen !== place,
          below:
            remedy !== undefined ? (
              <CopyLine text={remedy} />
            ) : notes.length > 0 ? (
              <ul className="flex flex-col gap-0.5 text-12 text-pretty text-tx-3">
                {notes.map((note) => (
                  <li key={note}>{note}</li>
                ))}
              </ul>
            ) : undefined,
        };
      })}
    />
  );
}
