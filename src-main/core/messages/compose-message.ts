/** From what a caller states to the message that is stored: who sends it, whom it reaches, and whether it may. */
import { AppError } from '#shared/kernel/errors.ts';
import type { MessageId, SessionId } from '#shared/kernel/ids.ts';
import { AgentId, mintId } from '#shared/kernel/ids.ts';
import type { Message, Originator, Sender } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';
import type { Caller } from '#core/caller.ts';
import type { Db } from '#core/store/database.ts';
import { mayCause, originatorOf } from './boundary-rule.ts';
import type { MessageDraft } from './message-draft.ts';
import type { StoredMessage } from './messages-repository.ts';
import { refuseAnswerToImported } from './refuse-imported.ts';
import { findMessage, hasProject } from './messages-repository.ts';
import type { AddressContext, AgentDirectory, KnownAgent, Resolved } from './resolve-recipients.ts';
import { inboxFull } from './inbox-limits.ts';
import { resolveRecipients } from './resolve-recipients.ts';

/** Who sends, in the terms of this feature. */
export interface SenderFacts {
  readonly from: Sender;
  readonly agent: KnownAgent | undefined;
  /** The sender's own wish: what its message carries when it passes on nobody else's. */
  readonly wish: Originator;
  /** The inbox that a broadcast leaves out. */
  readonly inbox: string | undefined;
}

/** Who a caller is as a sender. FORBIDDEN when it is an agent that was removed. */
export function senderOf(caller: Caller, directory: AgentDirectory): SenderFacts {
  if (caller.agentId !== undefined) {
    const agent = directory.resolveAgent(caller.agentId);
    if (!agent || agent.isRemoved)
      throw new AppError('FORBIDDEN', `Agent "${caller.agentId}" was removed: it cannot send. Nothing was sent.`);
    return {
      from: { kind: 'agent', id: agent.id },
      agent,
      wish: { kind: 'agent', id: agent.id, boundary: agent.boundary },
      inbox: agent.id,
    };
  }
  const from: Sender =
    caller.actor.kind === 'operator' ? { kind: 'operator', id: OPERATOR } : { kind: caller.actor.kind, id: caller.actor.id };
  return {
    from,
    agent: undefined,
    wish: { ...from, boundary: 'host' },
    inbox: from.kind === 'operator' ? OPERATOR : undefined,
  };
}

/** What a message is made with. */
export interface ComposeContext {
  readonly directory: AgentDirectory;
  readonly sender: SenderFacts;
  readonly caller: Caller;
  readonly sessionId: SessionId;
  readonly defaultProject: AddressContext['defaultProject'];
  readonly sentAt: number;
  readonly expiresAt: number | null;
  readonly notBefore: number | null;
  readonly replyBy: number | null;
  /** Whether an inbox takes no more from this sender. */
  readonly isFull: (recipient: string) => boolean;
  /** Is told when the rule on boundaries forbids it; the failure follows. */
  readonly onWeaker: (refused: RefusedWish) => void;
}

/** Work that an agent in a stronger boundary wished somebody in a weaker one to do. */
export interface RefusedWish {
  readonly agentId: AgentId;
  readonly asked: string;
  readonly from: Boundary;
  readonly to: Boundary;
  readonly reason: string;
}

/** A message that may be stored. */
export interface Composed {
  readonly message: Message;
  /** Those who do not get it because their inboxes are full. */
  readonly refused: readonly string[];
  /** The message that it answers. */
  readonly answered: StoredMessage | undefined;
}

/**
 * Makes the message of a draft. NOT_FOUND (recipient, project, message answered), BAD_REQUEST (several projects), FORBIDDEN
 * (somebody else's message answered, the rule on boundaries), TOO_MANY_REQUESTS (every inbox is full).
 */
export function composeMessage(db: Db, draft: MessageDraft, context: ComposeContext): Composed {
  const { directory, sender } = context;
  if (draft.projectId !== undefined && !hasProject(db, draft.projectId)) {
    throw new AppError('NOT_FOUND', `There is no project ${draft.projectId}. Nothing was sent. See list_projects.`, {
      data: { field: 'projectId' },
    });
  }
  const answered = draft.inReplyTo === null ? undefined : answeredMessage(db, draft.inReplyTo, sender, context.caller);
  const resolved = resolveRecipients(
    draft.to,
    {
      sender: sender.agent,
      senderInbox: sender.inbox,
      isCore: sender.from.kind === 'system',
      projectId: draft.projectId,
      defaultProject: context.defaultProject,
    },
    directory,
  );
  const originator = originatorOf(sender.wish, answered?.message.originator);
  refuseWeaker(originator, resolved, draft, context.onWeaker);
  const refused = resolved.recipients.filter((recipient) => context.isFull(recipient));
  if (refused.length > 0 && refused.length === resolved.recipients.length) throw inboxFull(refused);
  const id = mintId('msg') as MessageId;
  const message: Message = {
    id,
    projectId: resolved.projectId,
    sessionId: context.sessionId,
    from: sender.from,
    to: [...draft.to],
    recipients: resolved.recipients.filter((recipient) => !refused.includes(recipient)),
    kind: draft.kind,
    priority: draft.priority,
    subject: draft.subject,
    body: draft.body,
    data: draft.data,
    inReplyTo: draft.inReplyTo,
    threadId: answered?.message.threadId ?? id,
    originator,
    topic: draft.topic,
    attachments: [...draft.attachments],
    sentAt: context.sentAt,
    expiresAt: context.expiresAt,
    notBefore: context.notBefore,
    replyBy: context.replyBy,
  };
  return { message, refused, answered };
}

/** The message that is answered: it must exist, and the sender must have sent or received it. */
function answeredMessage(db: Db, id: MessageId, sender: SenderFacts, caller: Caller): StoredMessage {
  const stored = findMessage(db, id);
  if (!stored)
    throw new AppError(
      'NOT_FOUND',
      `There is no message ${id} to answer. Nothing was sent. Give in inReplyTo the id of a message in your inbox, or leave it out.`,
      { data: { field: 'inReplyTo' } },
    );
  refuseAnswerToImported(db, stored.message);
  const { from, recipients } = stored.message;
  // The core tells participants what becomes of their messages.
  if (sender.from.kind === 'system') return stored;
  const isSender = from.kind === sender.from.kind && from.id === sender.from.id;
  // Whoever holds the operator's role reads the operator's inbox, so may answer for it.
  const speaksForOperator = caller.agentId === undefined && caller.role === 'operator';
  const inbox = sender.inbox ?? (speaksForOperator ? OPERATOR : undefined);
  if (isSender || (inbox !== undefined && recipients.includes(inbox)) || (speaksForOperator && from.kind === 'operator'))
    return stored;
  throw new AppError(
    'FORBIDDEN',
    `Message ${id} was neither sent by you nor to you, so you cannot answer it. Nothing was sent. Leave inReplyTo out.`,
    { data: { field: 'inReplyTo' } },
  );
}

/** Refuses work for somebody whose boundary is weaker than that of the one who wished for it. */
function refuseWeaker(
  originator: Originator,
  resolved: Resolved,
  draft: MessageDraft,
  onWeaker: ComposeContext['onWeaker'],
): void {
  const weaker = resolved.agents.filter((agent) => !mayCause(originator.boundary, agent.boundary, draft.kind));
  const first = weaker[0];
  if (!first) return;
  const wish = originator.kind === 'agent' ? `Agent "${originator.id}"` : `"${originator.id}"`;
  const reason = `${wish} is confined by ${originator.boundary}, agent "${first.id}" only by ${first.boundary}: a ${draft.kind} would be executed in a weaker boundary than its originator's`;
  const agentId = AgentId.safeParse(originator.id);
  if (originator.kind === 'agent' && agentId.success) {
    const asked = `a ${draft.kind} for ${weaker.length === 1 ? `agent "${first.id}"` : `${weaker.length} agents, "${first.id}" among them`}`;
    onWeaker({ agentId: agentId.data, asked, from: originator.boundary, to: first.boundary, reason });
  }
  throw new AppError(
    'FORBIDDEN',
    `${reason}. Nothing was sent. Send it to an agent confined at least by ${originator.boundary}, or ask the operator to order it.`,
    {
      data: {
        originator: originator.id,
        originatorBoundary: originator.boundary,
        recipients: weaker.map((agent) => agent.id),
        recipientBoundary: first.boundary,
      },
    },
  );
}
