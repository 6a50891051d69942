/** Every named query of the reader. Only composes. */
import { agentReads } from '#core/agents/agents-repository.ts';
import { authReads } from '#core/auth/tokens-repository.ts';
import { boundaryReads } from '#core/boundary/proofs-repository.ts';
import { egressReads } from '#core/egress/egress-repository.ts';
import { enrolmentReads } from '#core/enrolments/enrolments-repository.ts';
import { journalReads } from '#core/journal/journal-repository.ts';
import { exportReads } from '#core/messages/message-export.ts';
import { messageReads } from '#core/messages/message-reads.ts';
import { provenanceReads } from '#core/provenance/evidence.ts';
import { retentionReads } from '#core/retention/retention-repository.ts';
import { secretReads } from '#core/secrets/secrets-repository.ts';
import { importReads } from '#core/sessions/import-repository.ts';
import { mirrorReads } from '#core/sessions/mirror-repository.ts';
import { sessionReads } from '#core/sessions/sessions-repository.ts';
import { snapshotReads } from '#core/snapshot.ts';
import type { Store } from '#core/store/store.ts';
import { topicReads } from '#core/topics/topics-repository.ts';

/** Every named query of the reader. */
export const reads = {
  ...agentReads,
  ...authReads,
  ...boundaryReads,
  ...egressReads,
  ...enrolmentReads,
  ...exportReads,
  ...importReads,
  ...journalReads,
  ...messageReads,
  ...mirrorReads,
  ...provenanceReads,
  ...retentionReads,
  ...secretReads,
  ...sessionReads,
  ...snapshotReads,
  ...topicReads,
};
/** Every named query of the reader. */
export type Reads = typeof reads;
/** The store with the product's queries. */
export type AppStore = Store<Reads>;
