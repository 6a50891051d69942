/** The headless host: the core under plain Node, serving the window to a browser, until a signal ends it. */
import type { Logger } from 'pino';
import pino from 'pino';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { App } from '#core/app.ts';
import { startApp } from '#core/app.ts';
import { openInBrowser } from './open-browser.ts';
import { productFiles, VERSION } from './product-files.ts';

/** What the command line decides. */
export interface ServeOptions {
  readonly dataDir: string;
  readonly port: number | undefined;
  readonly agentPort: number | undefined;
  readonly bind: string;
  readonly allowHosts: readonly string[];
  /** Print the ready line as JSON on stdout, and nothing else. */
  readonly json: boolean;
  /** Open the browser with a one-time login link. */
  readonly isOpening: boolean;
  /** Stop the agents at the end. */
  readonly shouldStopAgents: boolean;
}

function makeLog(): Logger {
  return pino(
    { level: process.env['QUARTERDECK_LOG'] ?? 'warn', base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}

async function announce(app: App, options: ServeOptions): Promise<void> {
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ event: 'ready', ...app.info })}\n`);
    return;
  }
  const link = app.loginLink();
  process.stdout.write(
    `Quarterdeck ${VERSION} is running.\n\n  Open it       ${link}\n                (this link logs one browser in, once, within ten minutes)\n  Claude Code   claude mcp add --transport http quarterdeck ${app.info.mcpUrl} --header "Authorization: Bearer $(cat ${options.dataDir}/operator-token)"\n  Data          ${options.dataDir}\n\nCtrl-C ends it; agents in tmux keep running.\n`,
  );
  if (options.isOpening && !(await openInBrowser(link)))
    process.stderr.write('No program opens a browser here: open the link above yourself.\n');
}

/** Runs the core until SIGTERM, SIGINT or a shutdown call. Resolves with the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  const log = makeLog();
  // Listening from the first moment: a signal during the start ends it in good order too.
  let requestEnd: (ending: { stopAgents: boolean }) => void = () => undefined;
  let isEnding = false;
  const ended = new Promise<{ stopAgents: boolean }>((resolve) => {
    requestEnd = (ending) => {
      isEnding = true;
      resolve(ending);
    };
  });
  const onSignal = (): void => requestEnd({ stopAgents: options.shouldStopAgents });
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', onSignal);

  let app: App;
  try {
    app = await startApp({
      ...productFiles(),
      dataDir: options.dataDir,
      env: process.env,
      version: VERSION,
      port: options.port,
      agentPort: options.agentPort,
      bind: options.bind,
      allowHosts: options.allowHosts,
      log,
      onShutdownRequested: (ending) => requestEnd(ending),
    });
  } catch (error) {
    if (!(error instanceof AppError)) log.error({ err: error }, 'the start failed');
    process.stderr.write(`Quarterdeck did not start: ${messageOf(error)}\n`);
    return 1;
  }
  // Nobody is told of a core that is about to end.
  if (!isEnding) await announce(app, options);
  const ending = await ended;
  await app.close(ending);
  return 0;
}
