/** What goes over a line. */
export type LineData = string | Blob | BufferSource;

/**
 * The end of a line that oRPC's links hold. It stands between them and the socket or port for two reasons: calls that
 * wait must fail the moment the line is given up, not when the network notices, and oRPC must not fail where it wants to
 * tell a line that is gone already that a call was given up.
 */
export class LinkEnd extends EventTarget {
  /** WebSocket.OPEN: a line is handed out when it is open, and sending on a closed one is dropped here. */
  readonly readyState = 1;
  readonly #send: (data: LineData) => void;
  readonly #gone = new AbortController();

  constructor(send: (data: LineData) => void) {
    super();
    this.#send = send;
  }

  /** Aborted when the line is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** As a WebSocket sends. */
  send(data: LineData): void {
    if (!this.#gone.signal.aborted) this.#send(data);
  }

  /** As a MessagePort sends. */
  postMessage(data: LineData): void {
    this.send(data);
  }

  /** Hands in what came from the other side. */
  receive(data: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  /** The line is gone: every call that waits fails. */
  close(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.dispatchEvent(new Event('close'));
  }
}
