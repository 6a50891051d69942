/** Sockets and ports by which a box and its gateway meet. Apart from the schemas, as in `box/places.ts`. */

/** Names of the sockets in an agent's folder; it is mounted read-only at `BOX_SOCKETS`. */
export const SOCKETS = { agent: 'agent.sock', egress: 'egress.sock', launch: 'launch.sock' } as const;

/** Ports on the loopback inside a box that the relay listens on, and what stands behind them (RELAY_PORTS.modelApi: egress.sock). */
export const RELAY_PORTS = { agent: 3100, proxy: 3128, modelApi: 3129 } as const;
