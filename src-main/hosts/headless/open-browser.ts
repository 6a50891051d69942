/** Hands addresses to the desktop's own browser. */
import { spawn } from 'node:child_process';

/** Opens an address in the operator's browser; false when there is no program for it. Does not wait for the browser. */
export function openInBrowser(url: string): Promise<boolean> {
  const [program, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['rundll32', ['url.dll,FileProtocolHandler', url]]
        : ['xdg-open', [url]];
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => resolve(true));
    child.unref();
  });
}
