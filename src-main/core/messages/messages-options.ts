/** What the messages service is made with. */
import type { Attachment, AttachmentInput } from '#shared/messages/attachment.ts';
import type { ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { Message } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { RefusedWish, SenderFacts } from './compose-message.ts';
import type { InboxLimits } from './inbox-limits.ts';
import type { MessageDraft } from './message-draft.ts';
import type { AgentDirectory } from './resolve-recipients.ts';

/** A message as it is being stored. */
export interface NewMessage {
  /** Its place in the order of storing. */
  readonly seq: number;
  readonly message: Message;
  /** `message.data` as JSON text; null when there is none. */
  readonly dataText: string | null;
}

/** What the service needs. */
export interface MessagesOptions extends AgentDirectory {
  readonly store: AppStore;
  readonly currentSession: () => SessionId;
  /** The project opened last; undefined when there is none. */
  readonly defaultProject: () => ProjectId | undefined;
  readonly log?: (message: string, error: unknown) => void;
  readonly now?: () => number;
  /** Work was refused by the rule on boundaries. */
  readonly onWeaker?: (refused: RefusedWish, caller: Caller) => Promise<void>;
  /**
   * May change what is sent, or throw an AppError to refuse it. Called before the write of every send; one that returns no
   * promise costs no turn.
   */
  readonly prepare?: (draft: MessageDraft, sender: SenderFacts, caller: Caller) => MessageDraft | Promise<MessageDraft>;
  /** Finds the files that are to go with a message; without it none can. */
  readonly attachments?: (stated: readonly AttachmentInput[], caller: Caller, projectId?: ProjectId) => Promise<Attachment[]>;
  /** Called in the write of a message, right after its row: what it writes is stored with the message or not at all. */
  readonly onStored?: (tx: Tx, stored: NewMessage) => void;
  /** The clock by which messages expire; a steady one from the present time on unless given. */
  readonly steadyNow?: () => number;
  /** What every inbox takes; INBOX_LIMITS unless given. */
  readonly limits?: InboxLimits;
  /** How long a message waits until it has a turn before more urgent ones, in milliseconds; FAIR_AFTER_MS unless given. */
  readonly fairAfterMs?: number;
  /** From 0 to 1, for waits that differ; Math.random unless given. */
  readonly random?: () => number;
}
