/**
 * What was said unasked in one session, for a client that lost its stream and asks for what came after the last event it saw.
 * In memory and bounded: what is older is forgotten, and mail is never lost with it.
 *
 * Answers to calls are not among it, on purpose. A client that is given an event's id on the stream of a call waits, when that
 * breaks, for the rest on another one (SDK 1.x does until the call's own deadline). After a core was killed nobody would ever
 * send the rest; without an id the call fails at once, and is made again.
 */
import type { EventStore } from '@modelcontextprotocol/server';

type Message = Parameters<EventStore['storeEvent']>[1];

interface LoggedEvent {
  readonly id: string;
  readonly streamId: string;
  readonly message: Message;
  readonly chars: number;
}

/** The SDK's name of the stream for what is said unasked (GET). */
const UNASKED = '_GET_stream';
/** At most so many events of a session are kept … */
const MAX_EVENTS = 64;
/** … and of those that are larger together fewer, in characters of JSON; the newest always. */
const MAX_CHARS = 64 * 1024;

/** The last events of one session. */
export class EventLog implements EventStore {
  #events: LoggedEvent[] = [];
  #chars = 0;
  #last = 0;

  async storeEvent(streamId: string, message: Message): Promise<string> {
    if (streamId !== UNASKED) return '';
    const event = { id: `${++this.#last}`, streamId, message, chars: JSON.stringify(message).length };
    this.#events.push(event);
    this.#chars += event.chars;
    while (this.#events.length > 1 && (this.#events.length > MAX_EVENTS || this.#chars > MAX_CHARS))
      this.#chars -= this.#events.shift()?.chars ?? 0;
    return event.id;
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#events.find(({ id }) => id === eventId)?.streamId;
  }

  /** Sends what came after an event on its stream. Throws when that event is forgotten: the client then begins anew. */
  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: Message) => Promise<void> },
  ): Promise<string> {
    const at = this.#events.findIndex(({ id }) => id === lastEventId);
    const streamId = this.#events[at]?.streamId;
    if (streamId === undefined) throw new Error(`The event ${lastEventId} is not kept any more.`);
    for (const event of this.#events.slice(at + 1)) if (event.streamId === streamId) await send(event.id, event.message);
    return streamId;
  }
}
