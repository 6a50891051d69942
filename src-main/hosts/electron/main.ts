/**
 * Entry of the desktop app: the core, its window, its tray. Only composes.
 * Nothing here is awaited at the top level: Electron is not ready before this file has been run.
 */
import { join } from 'node:path';
import { app, dialog, session } from 'electron';
import { messageOf } from '#shared/kernel/errors.ts';
import { startDesktopCore } from './desktop-core.ts';
import { DESKTOP_FILES } from './desktop-files.ts';
import { handOutPorts } from './ipc.ts';
import { launchOptions } from './launch-options.ts';
import { registerAppScheme, serveAppScheme } from './protocol.ts';
import { limitNavigation, limitPermissions } from './security.ts';
import { createTray } from './tray.ts';
import { MainWindow } from './window.ts';

const options = launchOptions(process.argv.slice(1), process.env);
const window = new MainWindow();

/** Ends the core before the app, once. */
function endWithCore(core: Awaited<ReturnType<typeof startDesktopCore>>, shouldStopAgents: () => boolean): void {
  let state: 'running' | 'ending' | 'ended' = 'running';
  app.on('before-quit', (event) => {
    if (state === 'ended') return;
    event.preventDefault();
    if (state === 'ending') return;
    state = 'ending';
    core
      .close({ stopAgents: shouldStopAgents() })
      .catch((error: unknown) => core.log('the core did not end cleanly', error))
      .finally(() => {
        state = 'ended';
        app.quit();
      })
      .catch(() => undefined);
  });
}

async function run(): Promise<void> {
  await app.whenReady();
  let { shouldStopAgents } = options;
  const core = await startDesktopCore(options, (ending) => {
    shouldStopAgents ||= ending.stopAgents;
    app.quit();
  });
  endWithCore(core, () => shouldStopAgents);
  limitPermissions(session.defaultSession);
  serveAppScheme(DESKTOP_FILES.rendererDir);
  handOutPorts({
    serveRpcPort: (port) => core.serveRpcPort(port),
    serveTerminalPort: (port) => core.serveTerminalPort(port),
    onRefused: (origin) => core.log(`a page of ${origin} asked for a connection and was refused`),
  });
  const tray = createTray({
    open: () => window.show(),
    stopAll: () => {
      core.client.agents.stopAll({}).catch((error: unknown) => core.log('not all agents could be stopped', error));
    },
    quit: () => app.quit(),
  });
  app.once('will-quit', () => tray.destroy());
  app.on('second-instance', () => window.show());
  app.on('activate', () => window.show());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit());
  if (options.json) process.stdout.write(`${JSON.stringify({ event: 'ready', ...core.info })}\n`);
  window.show();
}

// A profile per data folder, so that each data folder has its own single instance.
app.setPath('userData', join(options.dataDir, 'window'));
app.enableSandbox();
registerAppScheme();
limitNavigation();
// Closing the window leaves the crew running; the tray brings the window back.
app.on('window-all-closed', () => undefined);

if (app.requestSingleInstanceLock()) {
  run().catch((error: unknown) => {
    dialog.showErrorBox('Quarterdeck did not start', messageOf(error));
    app.exit(1);
  });
} else {
  // The first instance is told and shows its window.
  app.quit();
}
