/** What the journal says about connections. The subject is the agent's id. */
import * as z from 'zod';
import { EgressMode, EgressProtocol, EgressRule } from './model.ts';

const target = { host: z.string(), port: z.number().int(), protocol: EgressProtocol, reason: z.string() };

/** Data of each journal event about connections, by kind. Bytes and duration are in the connection log, not here. */
export const egressEvents = {
  'egress.opened': z.object({ ...target, address: z.string() }),
  /** The same refusal again within a minute is counted, not journaled anew. */
  'egress.refused': z.object({ ...target, count: z.number().int() }),
  'egress.rules-changed': z.object({ mode: EgressMode, rules: z.array(EgressRule) }),
  'egress.model-apis-changed': z.object({ names: z.array(z.string()) }),
};
