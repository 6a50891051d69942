/** The procedures about messages, on the service. */
import type { messagesContract } from '#shared/messages/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { MessagesService } from './messages-service.ts';

/** The handlers of `messagesContract`. */
export function messagesHandlers(service: MessagesService): HandlersOf<typeof messagesContract> {
  return {
    send: (input, { caller }) => service.send(input, caller),
    inbox: (input, { caller }) => service.inbox(input, caller),
    wait: (input, { caller, signal }) => service.wait(input, caller, signal),
    markRead: (input, { caller }) => service.markRead(input, caller),
    extend: (input, { caller }) => service.extend(input, caller),
    release: (input, { caller }) => service.release(input, caller),
    request: (input, { caller, signal }) => service.request(input, caller, signal),
    cancel: (input, { caller }) => service.cancel(input, caller),
    dead: (input) => service.dead(input),
    retry: (input, { caller }) => service.retry(input, caller),
    queues: (input) => service.queues(input),
    list: (input) => service.list(input),
    counts: (input) => service.counts(input),
    get: (input) => service.get(input),
  };
}
