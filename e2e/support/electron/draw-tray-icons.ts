/**
 * Draws the tray's icons into assets/icons/tray, from the product's mark: `node e2e/support/electron/draw-tray-icons.ts`.
 * The PNGs are kept in the repository; this is run when the drawing changes. The colours are the tokens of the window.
 *
 * <mood>-<panel>.png for a dark and a light panel, `<mood>Template.png` for macOS, which tints them itself and puts the
 * count beside. 22 pixels, and 44 as @2x. needs-1 to needs-9 and needs-more carry the count.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { findChromium } from '#e2e/support/report/machine.ts';

/** Points of a tray icon on a panel of usual height. */
const SIZE = 22;

interface Panel {
  readonly name: string;
  readonly ink: string;
  readonly working: string;
  readonly needs: string;
  readonly onNeeds: string;
  readonly trouble: string;
  readonly onTrouble: string;
}

const PANELS: readonly Panel[] = [
  {
    name: '-dark',
    ink: '#e7e9ec',
    working: '#3fbda9',
    needs: '#f2ac2f',
    onNeeds: '#14110a',
    trouble: '#f4756c',
    onTrouble: '#1a0c0c',
  },
  {
    name: '-light',
    ink: '#20262c',
    working: '#0b6e63',
    needs: '#dca743',
    onNeeds: '#14110a',
    trouble: '#b9271f',
    onTrouble: '#ffffff',
  },
];
const TEMPLATE: Panel = {
  name: 'Template',
  ink: '#000',
  working: '#000',
  needs: '#000',
  onNeeds: 'none',
  trouble: '#000',
  onTrouble: 'none',
};

const MARK = 'M11 2.5v11.5M6 6.5h10M2.500 14h17M6 18.5h10';

interface Badge {
  /** What is cut out of the mark around the badge. */
  readonly hole: string;
  readonly shape: string;
  /** Drawn on the badge, or cut out of it where the panel has one colour only. */
  readonly sign: string;
}

function badgeOf(mood: string, panel: Panel): Badge | undefined {
  const disc = (r: number, fill: string): string => `<circle cx="16" cy="16" r="${r}" fill="${fill}"/>`;
  switch (mood) {
    case 'idle':
      return undefined;
    case 'working':
      return { hole: disc(5.75, '#000'), shape: disc(4, panel.working), sign: '' };
    case 'off':
      return {
        hole: disc(5.75, '#000'),
        shape: `<circle cx="16" cy="16" r="3.25" fill="none" stroke="${panel.ink}" stroke-width="1.5"/>`,
        sign: '',
      };
    case 'trouble':
      return {
        hole: disc(6.75, '#000'),
        shape: disc(5.5, panel.trouble),
        sign: '<path d="M13.75 13.75l4.5 4.5M18.25 13.75l-4.5 4.5" fill="none" stroke="SIGN" stroke-width="1.75" stroke-linecap="round"/>',
      };
    default: {
      const count = mood.split('-')[1];
      const triangle = (grow: number, fill: string): string =>
        `<path d="M16 10.5l5 9.500h-10z" fill="${fill}" stroke="${fill}" stroke-width="${1 + grow}" stroke-linejoin="round"/>`;
      if (count === undefined) return { hole: triangle(3, '#000'), shape: triangle(0, panel.needs), sign: '' };
      const text = count === 'more' ? '9+' : count;
      const box = (grow: number, fill: string): string => {
        const width = (text.length > 1 ? 15 : 11) + 2 * grow;
        return `<rect x="${22 - width + grow}" y="${9 - grow}" width="${width}" height="${13 + 2 * grow}" rx="${4 + grow}" fill="${fill}"/>`;
      };
      return {
        hole: box(1.5, '#000'),
        shape: box(0, panel.needs),
        sign: `<text x="${22 - (text.length > 1 ? 7.5 : 5.5)}" y="19.6" font-family="Inter" font-size="11.500" font-weight="750" text-anchor="middle" fill="SIGN">${text}</text>`,
      };
    }
  }
}

function svgOf(mood: string, panel: Panel): string {
  const badge = badgeOf(mood, panel);
  const isCut = panel.onTrouble === 'none';
  const sign = (fill: string): string => badge?.sign.replace('SIGN', fill) ?? '';
  const mark = `<path d="${MARK}" fill="none" stroke="${panel.ink}" stroke-width="2" stroke-linecap="round" ${mood === 'off' ? 'opacity=".55"' : ''}/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}" viewBox="0 0 22 22">
    <mask id="mark"><rect width="22" height="22" fill="#fff"/>${badge?.hole ?? ''}</mask>
    <mask id="badge"><rect width="22" height="22" fill="#fff"/>${isCut ? sign('#000') : ''}</mask>
    <g mask="url(#mark)">${mark}</g>
    <g mask="url(#badge)">${badge?.shape ?? ''}</g>
    ${isCut ? '' : sign(mood === 'trouble' ? panel.onTrouble : panel.onNeeds)}
  </svg>`;
}

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(root, 'assets', 'icons', 'tray');
const font = readFileSync(join(root, 'assets', 'fonts', 'inter-latin-wght-normal.woff2')).toString('base64');
const counts = ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'more'].map((count) => `needs-${count}`);
const icons = [
  ...PANELS.flatMap((panel) => ['idle', 'working', 'trouble', 'off', ...counts].map((mood) => ({ mood, panel }))),
  ...['idle', 'working', 'needs', 'trouble', 'off'].map((mood) => ({ mood, panel: TEMPLATE })),
];

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: findChromium() ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const scale of [1, 2]) {
  const page = await browser.newPage({ deviceScaleFactor: scale, viewport: { width: SIZE, height: SIZE } });
  for (const { mood, panel } of icons) {
    await page.setContent(
      `<style>@font-face{font-family:Inter;src:url(data:font/woff2;base64,${font});font-weight:100 900}
      html,body{margin:0;background:transparent}svg{display:block}</style>${svgOf(mood, panel)}`,
    );
    await page.evaluate(async () => {
      await document.fonts.load('750 11px Inter', '0');
    });
    await page.screenshot({ path: join(folder, `${mood}${panel.name}${scale === 2 ? '@2x' : ''}.png`), omitBackground: true });
  }
  await page.close();
}
await browser.close();
