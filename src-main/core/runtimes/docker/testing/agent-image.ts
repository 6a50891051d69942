/** The agent image for tests: made once on a machine, whoever asks first. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentImageName, buildAgentImage, findImage } from '../agent-image.ts';
import { connectEngine } from '../engine.ts';
import { ensureKit } from '../image-kit.ts';
import type { ImageSource } from '../image-source.ts';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));

/** What the image is made from in this checkout. */
export const IMAGE_SOURCE: ImageSource = {
  assetsDir: join(root, 'assets'),
  nodeBinary: process.execPath,
  cacheDir: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'quarterdeck'),
  env: process.env,
};

/** The reference of the agent image of this checkout, which is there when this resolves. Tests at the same time may each ask. */
export async function ensureAgentImage(): Promise<string> {
  const docker = connectEngine(process.env);
  const { reference } = await agentImageName(IMAGE_SOURCE);
  if ((await findImage(docker, reference)) !== undefined) return reference;
  const said: string[] = [];
  await buildAgentImage(docker, IMAGE_SOURCE, { onStep: (text) => said.push(text), onLine: (line) => said.push(line) });
  return reference;
}

/** The volume with the kit of this checkout's agent image; both are there when this resolves. */
export async function ensureTestKit(): Promise<{ readonly reference: string; readonly volume: string }> {
  const reference = await ensureAgentImage();
  const { key } = await agentImageName(IMAGE_SOURCE);
  return { reference, ...(await ensureKit(connectEngine(process.env), { key, reference })) };
}
