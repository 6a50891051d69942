/** The choices of where an agent runs, in words, with what each means for safety. Pure. */
import type { RuntimeKind, Sandbox } from '#shared/runtimes/model.ts';
import type { Runtimes } from './use-images.ts';

/** A choice: a runtime, with or without bubblewrap around it. */
export type Place = 'docker' | 'tmux+bubblewrap' | 'pty+bubblewrap' | 'tmux' | 'pty';

/** The choices, the strongest first. */
export const PLACES: readonly Place[] = ['docker', 'tmux+bubblewrap', 'tmux', 'pty+bubblewrap', 'pty'];

/** The choice that a configuration makes. */
export function placeOf(runtime: RuntimeKind | '', sandbox: Sandbox | ''): Place {
  if (runtime === 'docker') return 'docker';
  const host = runtime === 'pty' ? 'pty' : 'tmux';
  return sandbox === 'bubblewrap' ? `${host}+bubblewrap` : host;
}

/** The configuration of a choice. */
export function configOf(place: Place): { readonly runtime: RuntimeKind; readonly sandbox: Sandbox } {
  const [runtime, sandbox] = place.split('+');
  return {
    runtime: runtime === 'docker' || runtime === 'pty' ? runtime : 'tmux',
    sandbox: sandbox === 'bubblewrap' ? 'bubblewrap' : 'none',
  };
}

interface PlaceWords {
  readonly title: string;
  readonly text: string;
}

/** What each choice is, and what it means for safety. */
export const PLACE_WORDS: Readonly<Record<Place, PlaceWords>> = {
  docker: {
    title: 'Docker container',
    text: 'Contained. It sees its workspace and nothing else of this machine, has no network but what you allow, and cannot use more than its limits.',
  },
  'tmux+bubblewrap': {
    title: 'tmux in bubblewrap',
    text: 'Contained. It runs on this machine with a read-only system, its own files and no network but what you allow.',
  },
  tmux: {
    title: 'tmux',
    text: 'Not contained. It runs as you: it can read and change all your files and reach everything that you can.',
  },
  'pty+bubblewrap': {
    title: 'Plain terminal in bubblewrap',
    text: 'Contained as the one above, but it ends when Quarterdeck ends.',
  },
  pty: {
    title: 'Plain terminal',
    text: 'Not contained, and it ends when Quarterdeck ends. For machines without tmux.',
  },
};

/** Whether a choice can be made here; if not, why, and the one command that mends it. */
export interface PlaceState {
  readonly isAvailable: boolean;
  readonly version: string | undefined;
  readonly problem: string | undefined;
  readonly remedy: string | undefined;
  readonly notes: readonly string[];
}

const BUBBLEWRAP_REMEDY = 'sudo apt-get install bubblewrap';

/** How a choice stands on this machine. */
export function placeState(place: Place, known: Runtimes): PlaceState {
  const { runtime, sandbox } = configOf(place);
  const found = known.runtimes.find(({ kind }) => kind === runtime);
  const { bubblewrap } = known;
  const isHere = found?.isAvailable === true;
  if (sandbox === 'none' || !isHere)
    return {
      isAvailable: isHere,
      version: found?.version,
      problem: isHere ? undefined : (found?.problem ?? 'It was not found.'),
      remedy: isHere ? undefined : found?.remedy,
      notes: isHere ? (found.notes ?? []) : [],
    };
  return {
    isAvailable: bubblewrap.isAvailable,
    version: bubblewrap.version ?? undefined,
    problem: bubblewrap.isAvailable ? undefined : (bubblewrap.problem ?? 'bubblewrap was not found.'),
    // A bubblewrap that is there and does not work is not mended by installing it.
    remedy: bubblewrap.isAvailable || bubblewrap.version !== null ? undefined : BUBBLEWRAP_REMEDY,
    notes: [],
  };
}
