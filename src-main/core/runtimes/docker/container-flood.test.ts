import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ServerFrame } from '#shared/terminals/frames.ts';
import { until } from '#core/terminals/testing/terminal-client.ts';
import { TerminalsFixture } from '#core/terminals/testing/terminals-fixture.ts';
import { waitForScreen } from '../testing/support.ts';
import { ContainerBench } from './testing/container-bench.ts';

const FLOOD_BYTES = 40 * 2 ** 20;

let bench: ContainerBench;
let fixture: TerminalsFixture;

beforeAll(async () => new ContainerBench().prepare(), 180_000);
beforeEach(() => {
  bench = new ContainerBench();
  fixture = new TerminalsFixture();
  const runtime = bench.runtime();
  fixture.use({
    kind: runtime.kind,
    isAdoptable: runtime.isAdoptable,
    probe: () => runtime.probe(),
    launch: (spec) => runtime.launch(bench.boxed(spec)),
    adopt: (known) => runtime.adopt(known),
    close: () => runtime.close(),
  });
});
afterEach(async () => {
  await fixture.dispose();
  await bench.cleanUp();
});

it('lets a container write 40 MB while one viewer is frozen, which then gets the right screen', async () => {
  const script = `read -r go; head -c ${FLOOD_BYTES} /dev/zero | tr '\\0' x | fold -w 79; echo; echo flood-over; read -r x; echo got $x; sleep 600`;
  const run = await fixture.start('flood', script);
  const client = await fixture.connect();
  const live = client.view({ agentId: 'flood', control: 'take' });
  await until('the live view is open', () => live.opened !== undefined);
  const slow = await fixture.connect();
  const frozen = slow.view({ agentId: 'flood' }, { isFrozen: true });
  await until('the frozen view is open', () => frozen.types.includes(ServerFrame.screen));
  client.type(live, 'go\r');
  await live.shows('flood-over', 90_000);
  await waitForScreen(run, 'flood-over');
  expect(frozen.acknowledgedBytes).toBe(0);
  client.type(live, 'word\r');
  await live.shows('got word');
  frozen.thaw();
  await frozen.shows('got word');
}, 120_000);
