/** Valid values of the contract for scripted answers. */
import type { AgentSummary } from '#shared/agents/model.ts';
import { AgentSummary as AgentSchema } from '#shared/agents/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import { mintId } from '#shared/kernel/ids.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import { InboxMessage as InboxSchema } from '#shared/messages/model.ts';

const PROJECT = mintId('prj');
const SESSION = mintId('ses');

/** An agent; `says` is what it says of itself. */
export function sampleAgent(id: string, status: 'idle' | 'stopped' = 'idle', says: string | null = null): AgentSummary {
  return AgentSchema.parse({
    id,
    projectId: PROJECT,
    config: { id, type: 'worker', projectId: PROJECT },
    template: null,
    state: {
      status,
      since: 1,
      evidence: { source: 'process', detail: 'process 1 runs', at: 1 },
      ...(status === 'stopped' ? { exit: { code: 0 } } : {}),
    },
    says: says === null ? null : { doing: says, progress: 0.5, at: 1 },
    run: null,
    boundary: 'host',
    boundaryNote: 'host: not contained',
    starts: 1,
    createdAt: 1,
    unread: 0,
  });
}

/** A message to the operator. */
export function sampleMessage(
  fields: Partial<Pick<InboxMessage, 'body' | 'kind' | 'data' | 'state' | 'inReplyTo'>> & { from?: string } = {},
): InboxMessage {
  const id = mintId('msg');
  const { from = 'w1', ...rest } = fields;
  return InboxSchema.parse({
    id,
    projectId: PROJECT,
    sessionId: SESSION,
    from: { kind: 'agent', id: from },
    to: ['operator'],
    recipients: ['operator'],
    kind: 'note',
    priority: 'normal',
    subject: null,
    body: 'hello',
    data: null,
    inReplyTo: null,
    threadId: id,
    originator: { kind: 'agent', id: from, boundary: 'host' },
    sentAt: 1,
    expiresAt: null,
    topic: null,
    attachments: [],
    notBefore: null,
    replyBy: null,
    attempts: 0,
    leasedUntil: null,
    state: 'queued',
    ...rest,
  });
}

/** The event of a message that was sent. */
export function sentEvent(seq: number, message: InboxMessage): JournalEvent {
  const { state: _state, ...stored } = message;
  return {
    seq,
    at: 1,
    projectId: message.projectId,
    actor: message.from,
    door: 'agent-mcp',
    kind: 'message.sent',
    subject: message.id,
    data: { message: stored },
  };
}
