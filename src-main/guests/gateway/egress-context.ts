import type { Clock } from './clock.ts';
import type { ConnectionBook } from './connection-book.ts';
import type { GatewayLimits } from './limits.ts';
import type { Network } from './network.ts';
import type { ServedAgent } from './served-agent.ts';

/** What a request of one agent to the outside is served with. */
export interface EgressContext {
  readonly agent: ServedAgent;
  readonly book: ConnectionBook;
  readonly network: Network;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
}
