/** What the core tells a participant about a message: an event in the message's thread. Pure. */
import type { Json } from '#shared/kernel/json.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Sender } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Tx } from '#core/store/store.ts';
import type { MessageFacts } from './due-repository.ts';

/** What is told. */
export interface SystemEvent {
  /** The message it is about; it is told in answer to it. */
  readonly about: MessageFacts;
  readonly body: string;
  readonly data: Json;
}

/** Inside a write: puts an event into an inbox. One that is nobody's any more is passed over. */
export type Tell = (tx: Tx, recipient: string, told: SystemEvent) => void;

/** The inbox of whoever sent a message; undefined when it has none. Scripts read the operator's. */
export function inboxOf(from: Sender): AgentId | typeof OPERATOR | undefined {
  if (from.kind === 'system') return undefined;
  if (from.kind !== 'agent') return OPERATOR;
  const id = AgentId.safeParse(from.id);
  return id.success ? id.data : undefined;
}
