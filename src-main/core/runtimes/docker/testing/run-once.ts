/** A container that runs one command, for tests. */
import type Docker from 'dockerode';
import * as z from 'zod';

/** Runs a container to its end, removes it, and returns its exit code and what it said on both streams. */
export async function runOnce(
  docker: Docker,
  options: Docker.ContainerCreateOptions,
): Promise<{ readonly code: number; readonly said: string }> {
  const container = await docker.createContainer({ ...options, Labels: { 'app.quarterdeck.test': '1', ...options.Labels } });
  try {
    await container.start();
    const { StatusCode: code } = z.object({ StatusCode: z.number() }).parse(await container.wait());
    return { code, said: textOf(await container.logs({ stdout: true, stderr: true })) };
  } finally {
    await container.remove({ force: true });
  }
}

/** The text of a log in frames: eight bytes each, the last four of them the length of what follows. */
function textOf(log: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length; at += 8 + log.readUInt32BE(at + 4))
    parts.push(log.subarray(at + 8, at + 8 + log.readUInt32BE(at + 4)));
  return Buffer.concat(parts).toString('utf8');
}
