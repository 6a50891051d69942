/** P13: the window, built, in a real Chromium over a real core. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { logLine } from './drivers/coloured-log.ts';
import { fillHistory } from './history.ts';
import { measureColdStart } from './p13-cold-start.ts';
import { measureGrid } from './p13-grid.ts';
import { startAgent } from './p12-seats.ts';
import { measureTimeline } from './p13-timeline.ts';
import type { Figure } from './report.ts';

const AGENTS = 40;
const STORED = 1_000_000;

/** Starts agents whose terminals have something to show. */
export async function startPrinting(core: TestCore, count: number): Promise<void> {
  const folder = join(core.dataDir, 'bench-project');
  mkdirSync(folder, { recursive: true });
  const log = join(folder, 'log.txt');
  writeFileSync(log, Array.from({ length: 60 }, (_, index) => logLine(index)).join(''));
  for (let from = 0; from < count; from += 10)
    await Promise.all(
      Array.from({ length: Math.min(10, count - from) }, (_, n) =>
        startAgent(core, `agent-${from + n}`, 'tmux', ['sh', '-c', 'cat "$0"; exec sleep 1000000', log]),
      ),
    );
}

/** Measures; prints what it does on stderr. */
export async function measureWindow(say: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  const dataDir = makeDataDir();
  let core = await startCore({ dataDir, isBuilt: true });
  try {
    await startPrinting(core, AGENTS);
    figures.push(...(await measureColdStart(core, AGENTS, say)));
    await core.kill();
    say(`storing ${STORED} messages`);
    fillHistory(dataDir, STORED);
    core = await startCore({ dataDir, isBuilt: true });
    figures.push(...(await measureTimeline(core, STORED, say)));
  } finally {
    await core.stop();
    removeDataDir(dataDir);
  }
  figures.push(...(await measureGrid(say)));
  return figures;
}
