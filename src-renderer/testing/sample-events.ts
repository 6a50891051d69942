/** Journal events and agents for tests of the window. */
import type { Agent, AgentState } from '#shared/agents/model.ts';
import { AgentConfig } from '#shared/agents/model.ts';
import type { EventData, EventKind, JournalEvent } from '#shared/journal/model.ts';
import { JournalEvent as JournalEventSchema } from '#shared/journal/model.ts';
import { AgentId, MessageId, mintId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { Message } from '#shared/messages/model.ts';

/** The project that all sample rows belong to. */
export const SAMPLE_PROJECT_ID = ProjectId.parse(mintId('prj'));
const sessionId = SessionId.parse(mintId('ses'));

/** An event of the operator's, checked against the contract. */
export function sampleEvent<K extends EventKind>(seq: number, kind: K, subject: string, data: EventData<K>): JournalEvent {
  const actor = { kind: 'operator', id: 'operator' };
  return JournalEventSchema.parse({ seq, at: seq, projectId: SAMPLE_PROJECT_ID, actor, door: 'web', kind, subject, data });
}

/** An idle worker. */
export function sampleAgent(id: string, state?: AgentState): Agent {
  const evidence = { source: 'core', detail: 'sample', at: 1 } as const;
  return {
    id: AgentId.parse(id),
    projectId: SAMPLE_PROJECT_ID,
    config: AgentConfig.parse({ id, type: 'worker', projectId: SAMPLE_PROJECT_ID }),
    template: null,
    state: state ?? { status: 'idle', since: 1, evidence },
    says: null,
    run: null,
    boundary: 'host',
    boundaryNote: 'host: not contained',
    starts: 1,
    createdAt: 1,
  };
}

/** A note from one agent to another. */
export function sampleMessage(changes: Partial<Message> = {}): Message {
  const id = MessageId.parse(mintId('msg'));
  return {
    id,
    projectId: SAMPLE_PROJECT_ID,
    sessionId,
    from: { kind: 'agent', id: 'ada' },
    to: ['ben'],
    recipients: ['ben'],
    kind: 'note',
    priority: 'normal',
    subject: null,
    body: 'hello',
    data: null,
    inReplyTo: null,
    threadId: id,
    originator: { kind: 'operator', id: 'operator', boundary: 'host' },
    sentAt: 1,
    expiresAt: null,
    topic: null,
    attachments: [],
    notBefore: null,
    replyBy: null,
    ...changes,
  };
}
