/** What is in the box of an agent: nothing but what is named here. Pure, but for the folders that `giveFolder` makes. */
import { join } from 'node:path';
import type { Agent } from '#shared/agents/model.ts';
import { BOX, kitCommand } from '#shared/box/places.ts';
import { RELAY_PORTS } from '#shared/gateway/places.ts';
import type { Boundary } from '#shared/runtimes/model.ts';
import type { BoxMount, LimitsHeld } from '#core/runtimes/runtime.ts';
import type { PreparedWorkspace } from '#core/workspaces/workspaces-service.ts';
import type { Programs } from './types/agent-driver.ts';

/** Where an agent in a box writes its health socket: the folder of its other sockets is read-only to it. */
export const BOX_OWN = '/run/agent';

/** Folders of an agent on the host that its box sees. */
export interface BoxFolders {
  readonly home: string;
  readonly socketDir: string;
  /** Writable by the agent; the core connects to a socket there, and follows no link. */
  readonly own: string;
  readonly guests: string;
}

/** What a box sees, workspace first. `.git` of a shared folder lies over it, read-only: an agent must not write the operator's. */
export function boxMounts(prepared: PreparedWorkspace, folders: BoxFolders): BoxMount[] {
  const { workspace } = prepared;
  return [
    { source: workspace.folder, target: BOX.workspace, isWritable: true },
    ...prepared.readOnly.map((source) => ({
      source,
      target: join(BOX.workspace, source.slice(workspace.folder.length)),
      isWritable: false,
    })),
    { source: folders.home, target: BOX.home, isWritable: true },
    { source: folders.own, target: BOX_OWN, isWritable: true },
    { source: folders.socketDir, target: BOX.sockets, isWritable: false },
    { source: folders.guests, target: BOX.guests, isWritable: false },
  ];
}

/** The environment inside, but for what the agent's configuration and the gateway add. PATH is the image's own. */
export function boxEnvironment(): Record<string, string> {
  return { HOME: BOX.home, USER: 'agent', LOGNAME: 'agent', LANG: 'C.UTF-8', TMPDIR: BOX.tmp };
}

/** The agent interface as it is reached inside. */
export const BOX_AGENT_URL = `http://127.0.0.1:${RELAY_PORTS.agent}/mcp`;

/** The guests as they are started inside. */
export function boxPrograms(arch: 'x64' | 'arm64'): Programs {
  return { guest: (name) => kitCommand(arch, 'node', [`${BOX.guests}/${name}.js`]) };
}

/**
 * What confines an agent, in a sentence or two, for its badge. `limits` is how they are held in its present run, undefined
 * before the first; `uid` as whom it runs in a box.
 */
export function boundaryNote(
  agent: Pick<Agent, 'config'>,
  boundary: Boundary,
  limits: LimitsHeld | undefined,
  uid?: number,
): string {
  const { config } = agent;
  if (config.type === 'external')
    return 'host: not contained, not controlled. It was started outside Quarterdeck: what it may reach and when it ends is not decided here.';
  const held = limits === undefined ? '' : ` ${sentence(limits.note)}`;
  if (boundary === 'host') return `host: not contained. It runs as you, with your files and your network.${held}`;
  const where = boundary === 'container' ? 'in a container' : 'in a bubblewrap sandbox on this machine';
  const reach =
    config.egress.rules.length === 0
      ? 'no network'
      : `no network but ${config.egress.rules.length} allowed ${config.egress.rules.length === 1 ? 'address' : 'addresses'}`;
  const login = config.login === 'subscription' ? ' Its home holds a login of its own.' : '';
  const root = uid === 0 ? ' Its files are root’s, so it runs as root without any capability.' : '';
  return `${boundary}: runs ${where} with ${reach}.${held}${login}${root}`;
}

function sentence(text: string): string {
  const trimmed = text.trim().replace(/\.$/, '');
  return trimmed === '' ? '' : `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}.`;
}
