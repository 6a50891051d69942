/**
 * What the core and the gateway say to each other: HTTP with JSON over the gateway's control socket
 * (`gateway.sock` in the socket folder, 0600). The gateway lives on when the core ends; the next core takes it over.
 *
 *   GET    /status               GatewayStatus
 *   PUT    /owner                GatewayOwner -> GatewayStatus; 409 while a core that came later owns it
 *   PUT    /agents/<id>          GatewayAgent: makes or changes the agent's sockets and rules
 *   DELETE /agents/<id>          removes them and ends its connections
 *   PUT    /model-apis           GatewayModelApi[]; keys are kept in memory only
 *   GET    /events?after=<n>     GatewayEvent, one JSON object a line, from the log and then as they happen
 *   POST   /shutdown             ends the gateway
 *
 * All but /status and /owner carry the header `x-quarterdeck-core` with the owner's id, and are refused (409) to any other.
 * A stream of events ends when another core takes over.
 *
 * It is started as `<node> <guest gateway> --socket-dir <folder> --log <file> --version <product version>`: the folder gets
 * `gateway.sock`, the file names the log of connections, which is in numbered files beside it
 * (`egress-000000000001.jsonl`). A second one in the same folder ends by itself, with exit code 3, while the first answers.
 */
import * as z from 'zod';
import { EgressConnection, EgressMode, EgressRule, ModelApi } from '#shared/egress/model.ts';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';

/** Version of this protocol. A core gives no orders to a gateway that speaks another one. */
export const GATEWAY_PROTOCOL = 1;

/** Exit code of a gateway that found another one living in its folder. */
export const EXIT_TAKEN = 3;

/** Names the core that gives orders. */
export const CORE_HEADER = 'x-quarterdeck-core';
/** On requests that the gateway passes to the agent port: through whose socket they came. Removed from what agents send. */
export const AGENT_HEADER = 'x-quarterdeck-agent';
/** Beside it: the word that only core and gateway know, so that nobody else can claim to be the gateway. */
export const GATEWAY_HEADER = 'x-quarterdeck-gateway';

/** Name of the control socket in the socket folder. */
export const CONTROL_SOCKET = 'gateway.sock';

/** Which core owns the gateway. */
export const GatewayOwner = z.object({
  /** Minted by each core at its start. */
  coreId: z.string().min(1).max(100),
  /** When that core started, in milliseconds since the epoch: the later one wins. */
  startedAt: z.number().int(),
  /** Base of the core's agent port, for example `http://127.0.0.1:3100`. */
  agentUrl: z.string(),
  /** Goes into `GATEWAY_HEADER`. */
  word: z.string().min(16).max(200),
});
/** Which core owns the gateway. */
export type GatewayOwner = z.infer<typeof GatewayOwner>;

/**
 * The container that an agent's sockets are brought into by a line (`box/line-frames.ts`), because those of the host cannot be
 * reached inside. The gateway starts the line's other end there, again whenever it breaks, until the container has ended.
 */
export const GatewayLine = z.object({
  /** Where the engine listens, on this machine. */
  engine: z.object({ socketPath: z.string().min(1) }),
  /** Id of the container, which runs. */
  container: z.string().min(1),
});
/** The container that an agent's sockets are brought into by a line. */
export type GatewayLine = z.infer<typeof GatewayLine>;

/** One agent that the gateway serves. */
export const GatewayAgent = z.object({
  id: AgentId,
  projectId: ProjectId,
  /** Folder of its sockets, absolute; it is there, 0700. */
  socketDir: z.string(),
  /** Whose the sockets are; null: the gateway's own user. */
  owner: z.object({ uid: z.number().int(), gid: z.number().int() }).nullable(),
  mode: EgressMode,
  rules: z.array(EgressRule),
  /** Names of the model APIs it may use. */
  modelApis: z.array(z.string()),
  /** Absent where the agent reaches its sockets by itself. */
  line: GatewayLine.optional(),
});
/** One agent that the gateway serves. */
export type GatewayAgent = z.infer<typeof GatewayAgent>;

/**
 * A model API with its keys. For an agent holds the key of its project, else the one for all; where both are missing its calls
 * are answered with 503 and the reason.
 */
export const GatewayModelApi = ModelApi.extend({
  key: z.string().nullable(),
  /** Keys of single projects, by project id. */
  projectKeys: z.record(z.string(), z.string()).default({}),
});
/** A model API with its keys. */
export type GatewayModelApi = z.infer<typeof GatewayModelApi>;

/** What the gateway says of itself. */
export const GatewayStatus = z.object({
  pid: z.number().int(),
  /** Version of the product it belongs to. */
  version: z.string(),
  /** `GATEWAY_PROTOCOL` of that version. */
  protocol: z.number().int(),
  /** Minted at its start; a log belongs to the data folder and outlives it. */
  gatewayId: z.string(),
  startedAt: z.number().int(),
  owner: z.object({ coreId: z.string(), startedAt: z.number().int() }).nullable(),
  agents: z.array(AgentId),
  /** Number of the last event in the log; 0 when it is empty. */
  lastEvent: z.number().int(),
  /** Calls on agents' sockets that wait for a core now. */
  waiting: z.number().int(),
});
/** What the gateway says of itself. */
export type GatewayStatus = z.infer<typeof GatewayStatus>;

/** One entry of the log. A connection has an entry when it opens or is refused, and one when it ends. */
export const GatewayEvent = z.object({
  /** Counts from 1 without gaps, also over restarts of the gateway. */
  n: z.number().int().positive(),
  /**
   * How many connections this entry stands for: 1 but for refusals and failures that were the same again within a minute
   * (agent, target, reason). The first is written at once, the others together when the minute is over.
   */
  count: z.number().int().positive(),
  connection: EgressConnection,
});
/** One entry of the log. */
export type GatewayEvent = z.infer<typeof GatewayEvent>;
