/** Where the window was, kept in a file of the data folder's profile, and fitted to the displays that are there now. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { isWindowPath } from './window-paths.ts';

/** In device-independent pixels. */
export const Bounds = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
});
/** In device-independent pixels. */
export type Bounds = z.infer<typeof Bounds>;

/** What is kept. Every field has a default: a file that cannot be read is no file. */
export const WindowState = z.object({
  bounds: Bounds.nullable().catch(null).default(null),
  isMaximised: z.boolean().catch(false).default(false),
  /** 1 is 100 %. */
  zoom: z.number().min(0.5).max(2).catch(1).default(1),
  /** The place that was shown last. */
  path: z.string().refine(isWindowPath).catch('/').default('/'),
  /** Whether the operator was told that closing the window leaves the crew running. */
  hasToldTray: z.boolean().catch(false).default(false),
});
/** What is kept. */
export type WindowState = z.infer<typeof WindowState>;

/** The least size that the window is laid out for. */
export const LEAST = { width: 1024, height: 640 } as const;
/** The size of a first window. */
const FIRST = { width: 1440, height: 900 } as const;
/** So much of the title bar must be on a display for the window to be caught with the pointer, in pixels. */
const CATCHABLE = { width: 120, height: 24 } as const;

/** The steps of zooming, 50 to 200 %. */
export const ZOOM_STEPS = [0.5, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const;

/** The zoom one step further, never beyond 50 or 200 %; 0 is back to 100 %. */
export function zoomed(zoom: number, direction: 1 | -1 | 0): number {
  if (direction === 0) return 1;
  // A comparison with some room: Chromium gives factors back with rounding errors.
  const further =
    direction > 0 ? ZOOM_STEPS.find((step) => step > zoom + 0.01) : ZOOM_STEPS.findLast((step) => step < zoom - 0.01);
  return further ?? (direction > 0 ? 2 : 0.5);
}

/**
 * The bounds for a new window. Kept ones are used where their title bar can be caught on a display (`workAreas`), shrunk to
 * that display; else a first size, centred on the primary display (`workAreas[0]`).
 */
export function boundsFor(kept: Bounds | null, workAreas: readonly Bounds[]): Partial<Bounds> & Pick<Bounds, 'width' | 'height'> {
  const home = kept === null ? undefined : workAreas.find((area) => isCatchable(kept, area));
  if (kept === null || home === undefined) {
    const primary = workAreas[0] ?? { ...FIRST };
    return { width: Math.min(FIRST.width, primary.width), height: Math.min(FIRST.height, primary.height) };
  }
  return {
    x: kept.x,
    y: kept.y,
    width: Math.min(Math.max(kept.width, LEAST.width), home.width),
    height: Math.min(Math.max(kept.height, LEAST.height), home.height),
  };
}

function isCatchable(bounds: Bounds, area: Bounds): boolean {
  const across = Math.min(bounds.x + bounds.width, area.x + area.width) - Math.max(bounds.x, area.x);
  const below = area.y + area.height - bounds.y;
  return across >= CATCHABLE.width && bounds.y >= area.y && below >= CATCHABLE.height;
}

/** The file with the window's state. */
export class WindowStateFile {
  readonly #file: string;
  #state: WindowState;

  /** Reads `file`; one that is missing or broken counts as empty. */
  constructor(file: string) {
    this.#file = file;
    this.#state = WindowState.parse(readJson(file));
  }

  get state(): WindowState {
    return this.#state;
  }

  /** Changes and writes it. A disk that does not take it costs a window's place and nothing else. */
  update(changes: Partial<WindowState>): void {
    this.#state = { ...this.#state, ...changes };
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      const fresh = `${this.#file}.new`;
      writeFileSync(fresh, `${JSON.stringify(this.#state)}\n`, { mode: 0o600 });
      renameSync(fresh, this.#file);
    } catch {
      // Said above.
    }
  }
}

function readJson(file: string): object {
  try {
    return z.looseObject({}).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}
