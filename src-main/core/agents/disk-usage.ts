/** How much room folders take on disk: asked of `du` at the lowest priority, so that neither the core nor an agent waits for it. */
import { spawn } from 'node:child_process';
import { statfs } from 'node:fs/promises';

/** How long one measurement may take, in milliseconds: a slow network disk is better not measured than for ever. */
const DEADLINE_MS = 300_000;

/** Bytes that folders take together, what they share through hard links once. Undefined when it could not be told. */
export function diskUsageOf(folders: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve) => {
    // Not into other file systems that are mounted there. In kilobytes: macOS has no option for bytes.
    const child = spawn('nice', ['-n', '19', 'du', '-skx', '--', ...folders], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: DEADLINE_MS,
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.on('error', () => resolve(undefined));
    // It also fails when a file vanished while it looked; what it counted is good all the same.
    child.on('close', (_code, signal) => {
      const sizes = [...text.matchAll(/^(\d+)\s/gm)].map((match) => Number(match[1]) * 1024);
      resolve(signal !== null || sizes.length === 0 ? undefined : sizes.reduce((sum, bytes) => sum + bytes, 0));
    });
  });
}

/** Bytes free on the file system of a folder; undefined when the folder is gone. */
export async function freeBytesOf(folder: string): Promise<number | undefined> {
  const facts = await statfs(folder).catch(() => undefined);
  return facts === undefined ? undefined : facts.bavail * facts.bsize;
}
