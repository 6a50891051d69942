/** Provenance: where its key and its head lie. Only composes. */
import { join } from 'node:path';
import type { SessionId } from '#shared/kernel/ids.ts';
import type { DataPaths } from './paths.ts';
import { ProvenanceService } from './provenance/provenance-service.ts';
import type { AppStore } from './reads.ts';

/** What it is made of. */
export interface ProvenanceParts {
  readonly store: AppStore;
  readonly paths: DataPaths;
  readonly auditKey: Uint8Array;
  readonly currentSession: () => SessionId;
  readonly warn: (message: string) => void;
  readonly onEnd: (end: () => void) => void;
}

/** The service, opened: it signs from now on. */
export async function composeProvenance({ paths, onEnd, ...parts }: ProvenanceParts): Promise<ProvenanceService> {
  const provenance = new ProvenanceService({
    ...parts,
    secretsDir: paths.secrets,
    headFile: join(paths.dataDir, 'message-head'),
  });
  await provenance.open();
  onEnd(() => provenance.dispose());
  return provenance;
}
