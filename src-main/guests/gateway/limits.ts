/** The numbers of the gateway. All of them hold for one agent, so that what one does costs the others nothing. */

/** Limits; times in milliseconds, sizes in bytes. */
export interface GatewayLimits {
  /** Connections that an agent may have open on each of its two sockets. */
  readonly connections: number;
  /** Requests that an agent may begin on its egress socket in a second, and how many at once after a rest. More of them wait. */
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Head of a request, request line included. */
  readonly headBytes: number;
  /** How long a head may take to arrive. */
  readonly headMs: number;
  /** How long a TLS handshake may take until its ClientHello is there. */
  readonly helloMs: number;
  /** How long an address may take to accept a connection, and a name to be resolved. */
  readonly connectMs: number;
  readonly resolveMs: number;
  /** How long nothing may pass through a connection before it is closed. */
  readonly idleMs: number;
  /** Largest body on the agent interface, as on the port itself. */
  readonly agentBodyBytes: number;
  /** How long a call on the agent interface waits for a core. */
  readonly coreWaitMs: number;
  /** How often a core that is away is looked for. */
  readonly coreProbeMs: number;
  /** A core that follows no events and gave no order for so long is taken to be gone. */
  readonly ownerGoneMs: number;
  /** The gateway ends when it had neither agents nor a core for so long. */
  readonly lonelyMs: number;
  /** How often sockets are looked after that somebody removed. */
  readonly socketCheckMs: number;
  /** A file of the connection log, and how many of them are kept. */
  readonly logFileBytes: number;
  readonly logFiles: number;
  /** Refusals that are the same within so long become one entry; so many different ones are told apart. */
  readonly sameRefusalMs: number;
  readonly differentRefusals: number;
}

/** The limits that hold. */
export const DEFAULT_LIMITS: GatewayLimits = {
  connections: 256,
  requestsPerSecond: 100,
  burst: 400,
  headBytes: 32_768,
  headMs: 10_000,
  helloMs: 10_000,
  connectMs: 10_000,
  resolveMs: 10_000,
  idleMs: 1_800_000,
  agentBodyBytes: 8_388_608,
  coreWaitMs: 60_000,
  coreProbeMs: 250,
  ownerGoneMs: 60_000,
  lonelyMs: 600_000,
  socketCheckMs: 1000,
  logFileBytes: 4_194_304,
  logFiles: 16,
  sameRefusalMs: 60_000,
  differentRefusals: 200,
};
