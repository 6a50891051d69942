/** The state for windows, read in one read transaction: tables and the journal's number belong together. Only composes. */
import * as z from 'zod';
import type { CrewState } from '#shared/state.ts';
import { agentReads } from '#core/agents/agents-repository.ts';
import { pendingRequests } from '#core/enrolments/enrolments-repository.ts';
import { allProjects } from '#core/projects/projects-repository.ts';
import { latestSession } from '#core/sessions/sessions-repository.ts';
import { readSettings } from '#core/settings/settings-repository.ts';
import type { Db } from '#core/store/database.ts';

/** Reads of the whole state, run by the reader. */
export const snapshotReads = {
  /** Projects, agents, session, requests to be let in, and the sequence number they belong to. */
  'state.snapshot': (db: Db, _args: Record<string, never>): CrewState => ({
    seq: z.object({ seq: z.number() }).parse(db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM journal').get()).seq,
    projects: Object.fromEntries(allProjects(db).map((project) => [project.id, project])),
    agents: Object.fromEntries(agentReads['agents.all'](db, {}).map((agent) => [agent.id, agent])),
    session: latestSession(db),
    settings: readSettings(db),
    enrolments: Object.fromEntries(pendingRequests(db).map((request) => [request.id, request])),
  }),
};
