/** What must be out of reach of an agent in a box: stated to the probe of its boundary, which tries. */
import { homedir, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { RunInfo } from '#shared/system/model.ts';
import type { Hidden } from './boundary/boundary-service.ts';
import type { DataPaths } from './paths.ts';

/** Names of variables whose values are somebody's keys. */
const SECRET_NAME = /(key|token|secret|password|passwd|credential)/i;
/** As many peers are tried as fit into the time of a launch. */
const MOST_PEERS = 8;

/** What is hidden from one agent: the operator's and the core's files, other agents', their ports, the host's keys. */
export function hiddenFrom(
  id: AgentId,
  o: { readonly paths: DataPaths; readonly env: NodeJS.ProcessEnv; readonly info: RunInfo; readonly peers: readonly AgentId[] },
): Hidden {
  const { paths, env, info } = o;
  const peers = o.peers.filter((peer) => peer !== id).slice(0, MOST_PEERS);
  const ports = [
    { what: "the core's port", port: Number(new URL(info.url).port) },
    { what: "the agents' port", port: Number(new URL(info.agentMcpUrl).port) },
  ];
  return {
    paths: [
      paths.database,
      paths.operatorToken,
      paths.secrets,
      join(paths.socketDir, 'gateway.sock'),
      '/var/run/docker.sock',
      join(homedir(), '.ssh'),
      join(homedir(), '.aws'),
      ...peers.flatMap((peer) => [join(paths.agents, peer, 'home'), join(paths.socketDir, peer, 'agent.sock')]),
    ],
    addresses: [
      ...[...hostAddresses(), '127.0.0.1'].flatMap((host) =>
        // Inside, this very address is the relay's own loopback.
        ports
          .filter(({ port }) => host !== '127.0.0.1' || port !== AGENT_PORT_INSIDE)
          .map(({ what, port }) => ({ what, host, port })),
      ),
      ...peers.map((peer) => ({ what: `agent ${peer} by its name`, host: peer, port: AGENT_PORT_INSIDE })),
    ],
    texts: Object.entries(env).flatMap(([name, value]) => (SECRET_NAME.test(name) && value !== undefined ? [value] : [])),
  };
}

/** The relay's, see RELAY_PORTS: the probe runs before it listens, and the port of the core may be the same. */
const AGENT_PORT_INSIDE = 3100;

/** Addresses of this machine that a container could try, IPv4, loopback apart. */
function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
    .slice(0, 4);
}
