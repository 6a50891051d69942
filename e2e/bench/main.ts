/** `npm run bench [-- --only P3,P7] [--json]`: measures, and says which targets fall short. Exits with 0 also then. */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { measureClaims } from './p15-claims.ts';
import { measureTerminals } from './p12-terminals.ts';
import { measureWindow } from './p13-window.ts';
import { measureContainers } from './p9-containers.ts';
import { measureThroughput } from './p1-throughput.ts';
import { measureOverhead } from './p14-overhead.ts';
import { measureDelivery } from './p3-delivery.ts';
import { measureHistory } from './p4-history.ts';
import { measureAgainstCrowd } from './p5-crowd.ts';
import { measureSearch } from './p8-search.ts';
import { measureMemory } from './p7-memory.ts';
import type { Figure } from './report.ts';
import { isMet, toJsonLine, toTextLine } from './report.ts';

const MEASUREMENTS: readonly {
  readonly ids: readonly string[];
  readonly measure: (say: (text: string) => void) => Promise<Figure[]>;
}[] = [
  { ids: ['P1', 'P2'], measure: measureThroughput },
  { ids: ['P3', 'P8'], measure: measureDelivery },
  { ids: ['P8'], measure: measureSearch },
  { ids: ['P4'], measure: measureHistory },
  { ids: ['P5'], measure: measureAgainstCrowd },
  { ids: ['P14'], measure: measureOverhead },
  { ids: ['P7'], measure: measureMemory },
  { ids: ['P15', 'P9'], measure: measureClaims },
  { ids: ['P9', 'P10'], measure: measureContainers },
  { ids: ['P12'], measure: measureTerminals },
  { ids: ['P13'], measure: measureWindow },
];

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean', default: false } } });
const wanted = values.only?.split(',').map((id) => id.trim().toUpperCase());
const known = MEASUREMENTS.flatMap((entry) => entry.ids);
const unknown = wanted?.filter((id) => !known.includes(id)) ?? [];
if (unknown.length > 0) {
  process.stderr.write(`There is no measurement ${unknown.join(', ')}; there are ${known.join(', ')}.\n`);
  process.exit(2);
}

// What is measured is what is shipped: bundles, not the sources.
execFileSync(process.execPath, [new URL('../../bin/build.mjs', import.meta.url).pathname, '--if-stale'], {
  stdio: ['ignore', 'ignore', 'inherit'],
});

const short: Figure[] = [];
for (const { ids, measure } of MEASUREMENTS) {
  if (wanted && !ids.some((id) => wanted.includes(id))) continue;
  const figures = await measure((text) => process.stderr.write(`  ${ids.join(', ')}: ${text}\n`));
  for (const figure of figures.filter((entry) => !wanted || wanted.includes(entry.id))) {
    process.stdout.write(`${values.json ? toJsonLine(figure) : toTextLine(figure)}\n`);
    if (!isMet(figure)) short.push(figure);
  }
}
if (!values.json)
  process.stdout.write(
    short.length === 0
      ? 'Every measured target is met.\n'
      : `${short.length} fall short: ${short.map((figure) => `${figure.id} ${figure.what}`).join('; ')}.\n`,
  );
