/**
 * What every window knows: folded from journal events by the features' reducers.
 * The core runs the fold only in a test: snapshot(n) + events(n..m) = snapshot(m).
 */
import * as z from 'zod';
import { reduceAgents } from '#shared/agents/events.ts';
import { Agent } from '#shared/agents/model.ts';
import { reduceEnrolments } from '#shared/enrolments/events.ts';
import { EnrolmentRequest } from '#shared/enrolments/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import { reduceProjects } from '#shared/projects/events.ts';
import { Project } from '#shared/projects/model.ts';
import { reduceSession } from '#shared/sessions/events.ts';
import { Session } from '#shared/sessions/model.ts';
import { reduceSettings } from '#shared/settings/events.ts';
import { DEFAULT_SETTINGS, Settings } from '#shared/settings/model.ts';

/** The state of the crew at one sequence number of the journal. */
export const CrewState = z.object({
  seq: z.number().int().min(0),
  projects: z.record(z.string(), Project),
  agents: z.record(z.string(), Agent),
  session: Session.nullable(),
  settings: Settings,
  /** Agents from outside that ask to be let in. */
  enrolments: z.record(z.string(), EnrolmentRequest),
});
/** The state of the crew at one sequence number of the journal. */
export type CrewState = z.infer<typeof CrewState>;

/** The state before anything happened. */
export const EMPTY_STATE: CrewState = {
  seq: 0,
  projects: {},
  agents: {},
  session: null,
  settings: DEFAULT_SETTINGS,
  enrolments: {},
};

/** Folds the next event. Events at or below the state's own number were folded already and change nothing. */
export function applyEvent(state: CrewState, event: JournalEvent): CrewState {
  if (event.seq <= state.seq) return state;
  const next = { ...state, seq: event.seq };
  switch (event.kind) {
    case 'project.opened':
      return { ...next, projects: reduceProjects(state.projects, event) };
    case 'session.started':
    case 'session.ended':
    case 'core.started':
    case 'core.stopped':
    case 'session.imported':
    case 'session.mirror-placed':
      return { ...next, session: reduceSession(state.session, event) };
    case 'agent.created':
    case 'agent.state-changed':
    case 'agent.run-started':
    case 'agent.reported':
    case 'agent.config-changed':
    case 'agent.boundary-changed':
    case 'agent.memory-refused':
    case 'agent.removed':
      return { ...next, agents: reduceAgents(state.agents, event) };
    case 'enrolment.requested':
    case 'enrolment.decided':
    case 'enrolment.code-created':
    case 'enrolment.code-revoked':
    case 'enrolment.code-used':
      return { ...next, enrolments: reduceEnrolments(state.enrolments, event) };
    case 'settings.changed':
      return { ...next, settings: reduceSettings(state.settings, event) };
    case 'message.sent':
    case 'message.dead':
    case 'retention.policy-set':
    case 'retention.applied':
    case 'message.retried':
    case 'middleware.changed':
    case 'middleware.module-accepted':
    case 'middleware.refused':
    case 'middleware.module-failed':
    case 'middleware.audited':
    case 'terminal.typed':
    case 'terminal.control-taken':
    case 'terminal.control-released':
    case 'topic.subscribed':
    case 'topic.unsubscribed':
    case 'attachment.stored':
    case 'token.created':
    case 'token.role-changed':
    case 'token.revoked':
    case 'login.completed':
    case 'access.refused':
    case 'secret.set':
    case 'secret.removed':
    case 'provenance.key-changed':
    case 'provenance.fault-found':
    case 'journal.fault-found':
    case 'image.made':
    case 'workspace.created':
    case 'workspace.fetched':
    case 'workspace.removed':
    case 'boundary.proved':
    case 'boundary.failed':
    case 'boundary.refused':
    case 'boundary.accepted':
    case 'egress.opened':
    case 'egress.refused':
    case 'egress.rules-changed':
    case 'egress.model-apis-changed':
      return next;
  }
}
