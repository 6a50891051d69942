/** Runs a load driver in a process of its own, so that its work is not counted as the core's. */
import { spawn } from 'node:child_process';

/** Starts a driver with its input on stdin and returns what it printed, parsed. */
export function runDriver(name: string, input: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [new URL(`./${name}.ts`, import.meta.url).pathname], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the driver ${name} ended with code ${code}`)),
    );
    child.stdin.end(JSON.stringify(input));
  });
}
