/** For tests: messages that are signed, on a real store, with keys in a real folder. */
import { join } from 'node:path';
import type { SessionId } from '#shared/kernel/ids.ts';
import { AgentId, MessageId, mintId } from '#shared/kernel/ids.ts';
import { Message } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import { insertMessage } from '#core/messages/messages-repository.ts';
import type { SendInput } from '#core/messages/message-draft.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { openMessages } from '#core/messages/testing/open-messages.ts';
import { ProvenanceService } from '#core/provenance/provenance-service.ts';

/** Signed messages and what they stand on. */
export interface TestProvenance extends TestMessages {
  readonly provenance: ProvenanceService;
  readonly secretsDir: string;
  readonly headFile: string;
  /** What the operator was told. */
  readonly warnings: readonly string[];
  /** Sends a note to agents, from whoever calls. */
  note(to: string | string[], caller: Caller, more?: Partial<SendInput>): Promise<MessageId>;
  /** Sends notes to one agent that share a commit, whatever else this machine does meanwhile. */
  notesTogether(to: string, callers: readonly Caller[]): Promise<MessageId[]>;
  /** Stores messages in one commit, beside the service of messages: whoever tests that one must not use it. */
  store(messages: readonly Partial<Message>[]): Promise<MessageId[]>;
}

/** Opens signed messages in `dir`, or in a new temporary folder. */
export async function openProvenance(
  options: { dir?: string; now?: () => number; sessionId?: string } = {},
): Promise<TestProvenance> {
  const warnings: string[] = [];
  const made: { service: ProvenanceService; sessionId: SessionId; secretsDir: string; headFile: string }[] = [];
  const messages = await openMessages({
    ...options,
    extend: async (test, sessionId) => {
      const secretsDir = join(test.dir, 'secrets');
      const headFile = join(test.dir, 'message-head');
      const service = new ProvenanceService({
        store: test.store,
        secretsDir,
        headFile,
        auditKey: test.auditKey,
        currentSession: () => sessionId,
        warn: (message) => warnings.push(message),
        ...(options.now ? { now: options.now } : {}),
      });
      await service.open();
      made.push({ service, sessionId, secretsDir, headFile });
      return { onStored: service.onStored };
    },
  });
  const [own] = made;
  if (!own) throw new Error('the service was not made');
  const address = (to: string) => (to === '*' || to === 'operator' ? to : AgentId.parse(to));
  const note: TestProvenance['note'] = async (to, caller, more = {}) => {
    const addresses = Array.isArray(to) ? to.map(address) : address(to);
    const sent = await messages.service.send({ to: addresses, body: 'text', kind: 'note', priority: 'normal', ...more }, caller);
    return sent.messageId;
  };
  const { store } = messages.test;
  return {
    ...messages,
    provenance: own.service,
    secretsDir: own.secretsDir,
    headFile: own.headFile,
    warnings,
    note,
    notesTogether: async (to, callers) => {
      // The store ends a transaction after some milliseconds: on a busy machine one turn may take several.
      for (let round = 0; round < 1_000; round += 1) {
        const ids = await Promise.all(callers.map((caller) => note(to, caller)));
        const last = store.peek((db) => db.prepare('SELECT count FROM message_batches ORDER BY number DESC LIMIT 1').get());
        if ((last as { count: number }).count === ids.length) return ids;
      }
      throw new Error('no commit held all of them');
    },
    store: (all) =>
      store.write((tx) =>
        all.map((fields) => {
          const message = Message.parse({ ...sample(messages.projectId, own.sessionId), ...fields });
          const dataText = message.data === null ? null : JSON.stringify(message.data);
          const seq = insertMessage(tx, { message, dataText, idempotencyKey: null, ttlMs: null });
          own.service.onStored(tx, { seq, message });
          return message.id;
        }),
      ),
    close: async () => {
      await messages.close();
      own.service.dispose();
    },
    dispose: async () => {
      await messages.dispose();
      own.service.dispose();
    },
  };
}

/** A note of ada's to ben. */
function sample(projectId: string, sessionId: string) {
  const id = MessageId.parse(mintId('msg'));
  return {
    id,
    projectId,
    sessionId,
    from: { kind: 'agent', id: 'ada' },
    to: ['ben'],
    recipients: ['ben'],
    topic: null,
    kind: 'note',
    priority: 'normal',
    subject: null,
    body: 'text',
    data: null,
    attachments: [],
    inReplyTo: null,
    threadId: id,
    originator: { kind: 'agent', id: 'ada', boundary: 'host' },
    sentAt: Date.now(),
    expiresAt: null,
    notBefore: null,
    replyBy: null,
  };
}
