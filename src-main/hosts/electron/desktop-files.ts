/** Where the product's own files are, for the desktop app: in a checkout, and in a package. */
import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { nodeOptionsOf } from '#core/agents/types/agent-driver.ts';
import type { AppOptions } from '#core/app.ts';

/** `out`: this file is built into `out/main`. */
const out = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(out);

/** In a package the app is one archive, which only Electron can read: what other programs run lies beside it. */
function outsideArchive(path: string): string {
  return path.replace(`${sep}app.asar${sep}`, `${sep}app.asar.unpacked${sep}`);
}

/** The Node that guests run on. The packaged Electron cannot run as Node, so packages bring one along. */
function guestNode(resourcesPath: string | undefined): string {
  const name = process.platform === 'win32' ? 'node.exe' : join('bin', 'node');
  const shipped = resourcesPath === undefined ? undefined : join(resourcesPath, 'node', name);
  return shipped !== undefined && existsSync(shipped) ? shipped : join(root, 'node_modules', 'node', name);
}

/** The files that the window and its icons come from. */
export const DESKTOP_FILES = {
  rendererDir: join(out, 'renderer'),
  preload: join(out, 'preload', 'preload.cjs'),
  icon: join(root, 'assets', 'icons', 'icon.png'),
  trayIcons: join(root, 'assets', 'icons', 'tray'),
} as const;

/** The files that the core needs from its host. `resourcesPath` is Electron's, undefined elsewhere. */
export function coreFiles(
  resourcesPath: string | undefined,
): Pick<AppOptions, 'assetsDir' | 'rendererDir' | 'programs' | 'guestsDir' | 'readerModule'> {
  const node = guestNode(resourcesPath);
  return {
    assetsDir: outsideArchive(join(root, 'assets')),
    rendererDir: DESKTOP_FILES.rendererDir,
    // The gateway outlives the app, and so what the app was installed from: one file that needs no package beside it.
    programs: {
      guest: (name) => [
        node,
        ...nodeOptionsOf(name),
        outsideArchive(join(out, name === 'gateway' ? 'guests' : 'node', `${name}.js`)),
      ],
    },
    guestsDir: outsideArchive(join(out, 'guests')),
    readerModule: pathToFileURL(outsideArchive(join(out, 'node', 'read-worker.js'))),
  };
}
