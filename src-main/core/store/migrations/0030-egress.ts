/** What contained agents connected to, as far as the core stored it from the gateway's log. */
import type { Migration } from '#core/store/migrate.ts';

/** Connections of contained agents. */
export const egress: Migration = {
  version: 30,
  name: 'egress',
  sql: `
    CREATE TABLE egress_connections (
      id INTEGER PRIMARY KEY,
      -- Which log of a gateway, counted by the core, and the connection's number in it.
      log INTEGER NOT NULL,
      connection INTEGER NOT NULL,
      project_id TEXT NOT NULL,
      agent_id TEXT NOT NULL,
      via TEXT NOT NULL,
      host TEXT NOT NULL,
      port INTEGER NOT NULL,
      protocol TEXT NOT NULL,
      address TEXT,
      outcome TEXT NOT NULL,
      reason TEXT NOT NULL,
      at INTEGER NOT NULL,
      duration_ms INTEGER,
      sent_bytes INTEGER NOT NULL,
      received_bytes INTEGER NOT NULL,
      -- How many connections the row stands for: refusals that were the same within a minute share one.
      count INTEGER NOT NULL,
      UNIQUE (log, connection)
    ) STRICT;
    CREATE INDEX egress_by_agent ON egress_connections(agent_id, id);
    CREATE INDEX egress_by_outcome ON egress_connections(outcome, id);
    CREATE INDEX egress_by_agent_and_outcome ON egress_connections(agent_id, outcome, id);
    CREATE INDEX egress_refused ON egress_connections(agent_id, reason, host, port, protocol, at, count) WHERE outcome = 'refused';
  `,
};
