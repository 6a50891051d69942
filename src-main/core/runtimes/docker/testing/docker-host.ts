/**
 * A program that stands for a core: starts one agent in a container, looks at its terminal, says so, and stays until it is
 * killed. Arguments: instance id, working directory, then the agent's command.
 */
import { launchSpec } from '#core/runtimes/testing/support.ts';
import { ContainerBench } from './container-bench.ts';

const [instanceId = '', cwd = '', ...argv] = process.argv.slice(2);
const bench = new ContainerBench();
const run = await bench.runtime({ instanceId }).launch(bench.boxed(launchSpec(argv, { cwd })));
// A viewer as well, so that what a view leaves behind is seen.
await run.attach({ cols: 80, rows: 24 });
process.stdout.write(`${JSON.stringify({ pid: run.pid, runId: run.runId, startedAt: run.startedAt })}\n`);
setInterval(() => undefined, 1000);
