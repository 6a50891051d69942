/**
 * The worker: an agent without a model. It takes tasks as messages, does them in its working directory and answers them.
 * Exit codes: 0 ended by a signal, 64 wrong environment, 77 not accepted by the core, 70 a defect (tasks stay unanswered and
 * are taken up by the next start).
 */
import { AgentInterface, CallError } from './agent-interface.ts';
import { commandEnvironment, readEnvironment } from './environment.ts';
import type { WorkerEnvironment } from './environment.ts';
import { serveHealth } from './health-server.ts';
import { sweepLargeValues } from './large-values.ts';
import { listenToHand, ownKeyboard } from './hand.ts';
import { ProcessGroups } from './process-groups.ts';
import { QueueFile, renderQueue } from './queue-file.ts';
import { ReplyDesk } from './reply-desk.ts';
import { StatusReporter } from './status-reporter.ts';
import { TerminalView } from './terminal-view.ts';
import { Workspace } from './workspace.ts';
import { Worker } from './worker.ts';

const EXIT = { ok: 0, environment: 64, defect: 70, revoked: 77 } as const;
/** Grace for running commands when the worker is told to end, in milliseconds. */
const STOP_GRACE_MS = 500;

// The terminal may go before the worker does: writing into it must not end the worker.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

process.exitCode = await main();
// Whatever is still open (a fetch that waits for an answer) is not waited for.
process.exit();

async function main(): Promise<number> {
  const isColored = process.stdout.isTTY === true && !process.env['NO_COLOR'];
  const view = new TerminalView({ write: (text) => void process.stdout.write(text), isColored });
  const environment = readEnvironment(process.env);
  if (!environment.ok) {
    for (const problem of environment.error) view.line('failed', problem);
    view.line('failed', 'The worker is started by Quarterdeck, which sets these variables.');
    return EXIT.environment;
  }
  const stop = new AbortController();
  const end = (signal: string): void => stop.abort(new Error(`ended by ${signal}`));
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(signal));
  try {
    await work(environment.value, view, stop.signal, (worker) =>
      listenToHand({ worker, view, keyboard: ownKeyboard(), end: () => end('SIGINT') }),
    );
    view.line('info', 'ended; unfinished tasks stay in the inbox');
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CallError && error.kind === 'revoked') {
      view.line(
        'failed',
        `This agent's token is not accepted any more (${error.message}). It was removed or replaced; start it again from Quarterdeck.`,
      );
      return EXIT.revoked;
    }
    view.line('failed', error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EXIT.defect;
  }
}

async function work(
  environment: WorkerEnvironment,
  view: TerminalView,
  stop: AbortSignal,
  onReady: (worker: Worker) => void,
): Promise<void> {
  const agentId = environment.QUARTERDECK_AGENT_ID;
  const startedAt = performance.now();
  const workspace = await Workspace.open(process.cwd());
  await sweepLargeValues(workspace, Date.now());
  const door = new AgentInterface({
    url: environment.QUARTERDECK_AGENT_URL,
    token: environment.QUARTERDECK_AGENT_TOKEN,
    agentId,
    onAway: (reason) => view.line('away', `Quarterdeck is away (${reason}); waiting for it`),
    onBack: () => view.line('back', 'Quarterdeck is back'),
  });
  const processes = new ProcessGroups();
  const queuePath = environment.QUARTERDECK_QUEUE_FILE;
  const queue =
    queuePath === undefined
      ? undefined
      : new QueueFile(queuePath, (error) => view.line('failed', `the queue file cannot be written: ${String(error)}`));
  const status = new StatusReporter(door, stop);
  const worker: Worker = new Worker({
    agentId,
    door,
    replies: new ReplyDesk(),
    workspace,
    processes,
    settings: {
      batchSize: environment.BATCH_SIZE,
      poolSize: environment.WORKER_POOL_SIZE,
      outputFormat: environment.OUTPUT_FORMAT,
    },
    commandEnv: commandEnvironment(process.env),
    taskTimeoutMs: environment.QUARTERDECK_TASK_TIMEOUT_MS,
    maxConcurrentTasks: environment.QUARTERDECK_MAX_CONCURRENT_TASKS,
    view,
    onQueue: (entries) => queue?.update(renderQueue(entries, worker.counts)),
    onStatus: (next) => status.update(next),
  });
  const health = () => ({
    status: stop.aborted ? ('stopping' as const) : ('ok' as const),
    agentId,
    pid: process.pid,
    uptimeMs: Math.round(performance.now() - startedAt),
    tasks: worker.counts,
    core: door.isConnected ? ('connected' as const) : ('away' as const),
    memoryBytes: process.memoryUsage.rss(),
  });
  const socketPath = environment.QUARTERDECK_HEALTH_SOCKET;
  const server =
    socketPath === undefined
      ? undefined
      : await serveHealth(socketPath, health).catch((error: unknown) => {
          // Work goes on without it; whoever checks it sees that it is missing.
          view.line('failed', `health is not served: ${error instanceof Error ? error.message : String(error)}`);
          return undefined;
        });

  onReady(worker);
  view.line('back', `worker ${agentId} in ${workspace.root}`);
  const onStop = (): void => void processes.dispose(STOP_GRACE_MS);
  stop.addEventListener('abort', onStop, { once: true });
  try {
    await worker.run(stop);
  } finally {
    stop.removeEventListener('abort', onStop);
    server?.close();
    await Promise.all([processes.dispose(STOP_GRACE_MS), door.close(), queue?.settled()]);
  }
}
