/** Goes through screens in themes and sizes, and looks at each for what no screen may have. */
import type { Page } from '@playwright/test';
import type { FleetSize } from '#e2e/support/fleets/fleets.ts';
import { axeFindings, NARROW, overflows, settled, SLIM, THEMES, unreachable, WIDE } from '#e2e/support/window.ts';
import type { Screen, Stage } from './screens.ts';
import { asked, SCREENS } from './screens.ts';

/** One look at a screen. */
export interface Look {
  readonly screen: string;
  readonly fleet: FleetSize;
  readonly theme: (typeof THEMES)[number];
  /** The width of the window in CSS pixels; `zoom` is the wide one at 200 %, `slim` the least. */
  readonly size: '1440' | '1024' | 'zoom' | 'slim';
}

/** What a sweep does at each look. */
export interface SweepOptions {
  readonly stage: Stage;
  readonly fleet: FleetSize;
  readonly screens: readonly Screen[];
  /** The sizes to look at: the usual ones in both themes, lesser ones in the dark theme. */
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
  readonly onLook?: (look: Look, page: Page) => Promise<void>;
  /** Told when a screen was gone through, with how long that took in milliseconds. */
  readonly onDone?: (screen: Screen, ms: number) => void;
}

/** The screens of one fleet, those that end something at the end. */
export function screensOf(fleet: FleetSize, wants: (screen: Screen) => boolean = () => true): Screen[] {
  const all = SCREENS.filter((screen) => screen.fleets.includes(fleet) && wants(screen));
  return [...all.filter(({ isLast }) => isLast !== true), ...all.filter(({ isLast }) => isLast === true)];
}

/** A look as the name of a file, without its ending: sorted by name, a fleet's pictures stand together. */
export function nameOf({ fleet, screen, theme, size }: Look): string {
  return `${String(fleet).padStart(3, '0')}-${screen}-${theme}-${size}`;
}

/** Looks at every screen. Returns what was found, a line each; none when all is well. */
export async function sweep(options: SweepOptions): Promise<string[]> {
  const { stage, fleet, screens, sizes, onLook, onDone } = options;
  const { page } = stage;
  const found: string[] = [];
  for (const screen of screens) {
    const began = Date.now();
    let isOpen = false;
    for (const size of sizes) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
      // For pictures it is opened in each size; otherwise it follows the window, as windows do.
      if (!isOpen || (stage.isForPictures && screen.isLast !== true)) {
        const problem = await openIn(options, screen);
        if (problem !== undefined) {
          found.push(`${fleet} ${screen.name} ${size.width}: cannot be opened: ${problem}`);
          break;
        }
      }
      isOpen = true;
      for (const theme of size.width < NARROW.width ? (['dark'] as const) : THEMES) {
        const look: Look = { screen: screen.name, fleet, theme, size: sizeName(size.width) };
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        await settled(page);
        await onLook?.(look, page);
        const findings = await findingsOf(stage, look, screen.over);
        found.push(...findings.map((finding) => `${nameOf(look)}: ${finding}`));
      }
    }
    onDone?.(screen, Date.now() - began);
  }
  return found;
}

/** Opens a screen; answers with why it cannot be. */
async function openIn({ stage, fleet }: SweepOptions, screen: Screen): Promise<string | undefined> {
  try {
    await screen.open(stage);
    if (fleet !== 0 && screen.isLast !== true) await asked(stage.page);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function sizeName(width: number): Look['size'] {
  if (width === SLIM.width) return 'slim';
  return width === WIDE.width ? '1440' : width === NARROW.width ? '1024' : 'zoom';
}

async function findingsOf({ page, isForPictures }: Stage, { theme, size }: Look, over: string | undefined): Promise<string[]> {
  if (size === 'zoom' || size === 'slim') return [...(await overflows(page)), ...(await unreachable(page, over))];
  // In the second theme nothing but colours is different, and those are the same in both sizes.
  if (theme === 'light' && size === '1024' && !isForPictures) return [];
  if (theme === 'light') return axeFindings(page, { onlyColours: true });
  return [...(await overflows(page)), ...(await axeFindings(page))];
}
