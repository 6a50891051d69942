/** The state for windows, read in one read transaction: tables and the journal's number belong together. Only composes. */
import * as z from 'zod';
import type { CrewState } from '#shared/state.ts';
import { agentReads } from '#core/agents/agents-repository.ts';
import { allProjects } from '#core/projects/projects-repository.ts';
import { sessionReads } from '#core/sessions/sessions-repository.ts';
import { readSettings } from '#core/settings/settings-repository.ts';
import type { Db } from '#core/store/database.ts';

/** Reads of the whole state, run by the reader. */
export const snapshotReads = {
  /** Projects, agents, session and the sequence number they belong to. */
  'state.snapshot': (db: Db, _args: Record<string, never>): CrewState => ({
    seq: z.object({ seq: z.number() }).parse(db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM journal').get()).seq,
    projects: Object.fromEntries(allProjects(db).map((project) => [project.id, project])),
    agents: Object.fromEntries(agentReads['agents.all'](db, {}).map((agent) => [agent.id, agent])),
    session: sessionReads['sessions.page'](db, { limit: 1 })[0] ?? null,
    settings: readSettings(db),
  }),
};
