import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundsFor, WindowStateFile, zoomed } from './window-state.ts';

const laptop = { x: 0, y: 25, width: 1512, height: 900 };
const second = { x: 1512, y: 0, width: 2560, height: 1400 };

describe('boundsFor', () => {
  it('starts at a first size that fits the display', () => {
    expect(boundsFor(null, [laptop])).toEqual({ width: 1440, height: 900 });
    expect(boundsFor(null, [{ x: 0, y: 0, width: 1280, height: 700 }])).toEqual({ width: 1280, height: 700 });
    expect(boundsFor(null, [])).toEqual({ width: 1440, height: 900 });
  });

  it('puts the window where it was, on whichever display that is', () => {
    const kept = { x: 1600, y: 40, width: 1800, height: 1200 };
    expect(boundsFor(kept, [laptop, second])).toEqual(kept);
  });

  it('forgets a place on a display that has gone, or where the title bar cannot be caught', () => {
    expect(boundsFor({ x: 1600, y: 40, width: 1800, height: 1200 }, [laptop])).toEqual({ width: 1440, height: 900 });
    expect(boundsFor({ x: -1400, y: 40, width: 1450, height: 800 }, [laptop])).not.toHaveProperty('x');
    expect(boundsFor({ x: 0, y: -10, width: 1450, height: 800 }, [laptop])).not.toHaveProperty('x');
    expect(boundsFor({ x: 0, y: 920, width: 1450, height: 800 }, [laptop])).not.toHaveProperty('x');
  });

  it('keeps it within its display and above the least size', () => {
    expect(boundsFor({ x: 10, y: 30, width: 4000, height: 3000 }, [laptop])).toEqual({ x: 10, y: 30, width: 1512, height: 900 });
    expect(boundsFor({ x: 10, y: 30, width: 200, height: 100 }, [laptop])).toEqual({ x: 10, y: 30, width: 1024, height: 640 });
  });
});

describe('zoomed', () => {
  it('goes in steps from 50 to 200 % and no further', () => {
    expect(zoomed(1, 1)).toBe(1.1);
    expect(zoomed(1.1000000238418579, 1)).toBe(1.25);
    expect(zoomed(1.1000000238418579, -1)).toBe(1);
    expect(zoomed(2, 1)).toBe(2);
    expect(zoomed(0.5, -1)).toBe(0.5);
    expect(zoomed(1.75, 0)).toBe(1);
  });
});

describe('WindowStateFile', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qd-window-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is found again as it was left', () => {
    const file = join(folder, 'window', 'state.json');
    new WindowStateFile(file).update({ bounds: { x: 1, y: 2, width: 1200, height: 800 }, zoom: 1.25, path: '/agent/ada' });
    expect(new WindowStateFile(file).state).toEqual({
      bounds: { x: 1, y: 2, width: 1200, height: 800 },
      isMaximised: false,
      zoom: 1.25,
      path: '/agent/ada',
      hasToldTray: false,
    });
  });

  it('takes what is right of a broken file, and never fails', () => {
    const file = join(folder, 'state.json');
    writeFileSync(file, JSON.stringify({ bounds: 'wide', zoom: 9, path: '/../etc', isMaximised: true }));
    expect(new WindowStateFile(file).state).toMatchObject({ bounds: null, zoom: 1, path: '/', isMaximised: true });
    writeFileSync(file, 'no json');
    expect(new WindowStateFile(file).state).toMatchObject({ bounds: null, isMaximised: false });
    // A folder that cannot be made: the path leads through a file.
    const nowhere = new WindowStateFile(join(file, 'state.json'));
    nowhere.update({ zoom: 2 });
    expect(nowhere.state.zoom).toBe(2);
    expect(readFileSync(file, 'utf8')).toBe('no json');
  });
});
