/** Sessions in files: the mirror, imports, and how long messages are kept. Only composes. */
import type { Logger } from 'pino';
import type { ProjectId } from '#shared/kernel/ids.ts';
import type { Journal } from './journal/journal.ts';
import type { MessagesService } from './messages/messages-service.ts';
import type { DataPaths } from './paths.ts';
import type { ProjectsService } from './projects/projects-service.ts';
import type { AppStore } from './reads.ts';
import { retentionHandlers } from './retention/handlers.ts';
import { RetentionService } from './retention/retention-service.ts';
import { sessionsHandlers } from './sessions/handlers.ts';
import { ImportService } from './sessions/import-service.ts';
import { Mirror } from './sessions/mirror.ts';
import type { SessionsService } from './sessions/sessions-service.ts';
import type { Tx } from './store/store.ts';

/** What they are made of. */
export interface SessionFilesParts {
  readonly store: AppStore;
  readonly journal: Journal;
  readonly sessions: SessionsService;
  readonly projects: ProjectsService;
  readonly messages: MessagesService;
  readonly paths: DataPaths;
  readonly log: Logger;
  readonly onEnd: (end: () => void | Promise<void>) => void;
  readonly provenance: { noteRemoved(tx: Tx, seqs: readonly number[]): void };
}

/** Handlers. */
export interface SessionFiles {
  readonly handlers: {
    readonly sessions: ReturnType<typeof sessionsHandlers>;
    readonly retention: ReturnType<typeof retentionHandlers>;
  };
}

/** Makes and opens them. */
export async function composeSessionFiles(p: SessionFilesParts): Promise<SessionFiles> {
  const { store, messages } = p;
  const warn = (message: string): void => p.log.warn(message);
  const projectOf = (id: ProjectId) => p.projects.list().find((project) => project.id === id);
  const onCounts = (projectId: ProjectId, change: { total: number; requests: number; dead: number }): void =>
    messages.adjustCounts(projectId, change);
  const mirror = new Mirror({
    store,
    sessionsDir: p.paths.sessions,
    projectFolder: (id) => projectOf(id)?.folder,
    warn,
  });
  p.sessions.folderBy((placeId, projectId, folder) => mirror.folderOf(placeId, projectId, folder));
  const followed = [p.journal.onCommitted(() => mirror.nudge()), messages.onDeliveries(() => mirror.nudge())];
  const imports = new ImportService({ store, isProject: (id) => projectOf(id) !== undefined, onCounts });
  const retention = new RetentionService({
    store,
    sessionsDir: p.paths.sessions,
    isProject: (id) => projectOf(id) !== undefined,
    onRemoving: (tx, { seq }) => p.provenance.noteRemoved(tx, [seq]),
    onCounts,
    warn,
  });
  p.onEnd(async () => {
    for (const subscription of followed) subscription.dispose();
    retention.dispose();
    await mirror.close();
  });
  mirror.open();
  await retention.open();
  return {
    handlers: {
      sessions: sessionsHandlers({ store, sessions: p.sessions, mirror, imports }),
      retention: retentionHandlers(retention),
    },
  };
}
