/**
 * A program that stands for a core: starts one agent in tmux, says so, and stays until it is killed.
 * Arguments: socket folder, instance id, working directory, then the agent's command.
 */
import { TmuxRuntime } from '../tmux/tmux-runtime.ts';
import { launchSpec } from './support.ts';

const [socketDir = '', instanceId = '', cwd = '', ...argv] = process.argv.slice(2);
const runtime = new TmuxRuntime({ socketDir, instanceId, log: () => undefined });
const run = await runtime.launch(launchSpec(argv, { cwd }));
// A viewer as well, so that what a view leaves behind is seen.
await run.attach({ cols: 80, rows: 24 });
process.stdout.write(`${JSON.stringify({ pid: run.pid, runId: run.runId, startedAt: run.startedAt })}\n`);
setInterval(() => undefined, 1000);
