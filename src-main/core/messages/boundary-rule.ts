/**
 * The rule on boundaries: no message causes execution in a weaker boundary than its originator's.
 * Pure functions; nothing else decides it for messages.
 *
 * What causes execution is a task or a request. Notes, replies and events inform: what a recipient does on its own account
 * after reading one is its own wish, but once it passes that on with `inReplyTo`, the wish stays with whoever had it first.
 */
import type { MessageKind, Originator } from '#shared/messages/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';
import { isAtLeastAsStrong } from '#shared/runtimes/model.ts';

/** Whether a message of this kind asks for something to be done: it is work until it is acknowledged. */
export function isWork(kind: MessageKind): boolean {
  return kind === 'task' || kind === 'request';
}

/** Whether a message of this kind, by a wish from `originator`, may be handed to a recipient confined by `recipient`. */
export function mayCause(originator: Boundary, recipient: Boundary, kind: MessageKind): boolean {
  return !isWork(kind) || isAtLeastAsStrong(recipient, originator);
}

/**
 * Whose wish a message carries: its sender's own, unless an agent passes on what it was told (it answers `heard`).
 * Then the more confined of the two counts; between equals it stays with the one who wished it first.
 */
export function originatorOf(sender: Originator, heard: Originator | undefined): Originator {
  if (sender.kind !== 'agent' || !heard) return sender;
  return isAtLeastAsStrong(heard.boundary, sender.boundary) ? heard : sender;
}
