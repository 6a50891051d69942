/**
 * Entry of the desktop app: the core, its window, its tray, its menus and notifications. Only composes.
 * Nothing here is awaited at the top level: Electron is not ready before this file has been run.
 */
import { join } from 'node:path';
import { app, crashReporter, dialog, session } from 'electron';
import { messageOf } from '#shared/kernel/errors.ts';
import { startDesktopCore } from './desktop-core.ts';
import { DESKTOP_FILES } from './desktop-files.ts';
import { handOutPorts, offerFolders } from './ipc.ts';
import { launchOptions } from './launch-options.ts';
import { registerAppScheme, serveAppScheme } from './protocol.ts';
import { limitNavigation, limitPermissions } from './security.ts';
import { Shell } from './shell.ts';
import { LINK_SCHEME, linkIn, pathOfLink } from './window-paths.ts';

const options = launchOptions(process.argv.slice(1), process.env);

/** Opens a deep link; before the app is ready it waits. */
let openLink: (link: string) => void = (link) => (firstLink = link);
let firstLink = options.link;

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
  const quit = (ending: { stopAgents: boolean }): void => {
    shouldStopAgents ||= ending.stopAgents;
    app.quit();
  };
  const core = await startDesktopCore(options, quit);
  const shell = new Shell(core, join(options.dataDir, 'window', 'state.json'), quit);
  // Before the core ends: a tray of a crew that is gone must offer nothing.
  app.once('before-quit', () => shell.dispose());
  endWithCore(core, () => shouldStopAgents);
  limitPermissions(session.defaultSession);
  serveAppScheme(DESKTOP_FILES.rendererDir, () => shell.troublePage());
  const onRefused = (origin: string): void => core.log(`a page of ${origin} asked for something of the app and was refused`);
  handOutPorts({
    serveRpcPort: (port) => core.serveRpcPort(port),
    serveTerminalPort: (port) => core.serveTerminalPort(port),
    onRefused,
  });
  offerFolders(onRefused);
  openLink = (link) => {
    const path = pathOfLink(link);
    if (path === undefined)
      core.log(`a link that names no place of the window was ignored: ${JSON.stringify(link.slice(0, 200))}`);
    shell.show(path);
  };
  app.on('second-instance', (_event, args) => {
    const link = linkIn(args);
    if (link === undefined) shell.show();
    else openLink(link);
  });
  app.on('activate', () => shell.show());
  app.on('child-process-gone', (_event, { type, reason, exitCode }) =>
    core.log(`a process of the app has ended: ${type}, ${reason}, exit code ${exitCode}`),
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit());
  if (options.json) process.stdout.write(`${JSON.stringify({ event: 'ready', ...core.info })}\n`);
  shell.start();
  if (firstLink === undefined) shell.show();
  else openLink(firstLink);
}

// A profile per data folder, so that each data folder has its own single instance.
app.setPath('userData', join(options.dataDir, 'window'));
app.enableSandbox();
registerAppScheme();
limitNavigation();
// Crashes are kept in the profile, for whoever wants to find their cause. Nothing is ever sent.
crashReporter.start({ uploadToServer: false });
// Windows shows notifications of apps that it knows by the id of their shortcut: electron-builder.yml, appId.
if (process.platform === 'win32') app.setAppUserModelId('org.quarterdeck.desktop');
// A checkout does not claim the links of the installed app.
if (app.isPackaged) app.setAsDefaultProtocolClient(LINK_SCHEME);
// Here already, because macOS tells of the link that the app was started with before it is ready.
app.on('open-url', (event, url) => {
  event.preventDefault();
  openLink(url);
});
// What follows the last window is decided in shell.ts.
app.on('window-all-closed', () => undefined);

if (app.requestSingleInstanceLock()) {
  run().catch((error: unknown) => {
    dialog.showErrorBox('Quarterdeck did not start', messageOf(error));
    app.exit(1);
  });
} else {
  // The first instance is told, with the command line, and shows its window.
  app.quit();
}
