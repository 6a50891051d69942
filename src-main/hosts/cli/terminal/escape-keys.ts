/** The keys that an attached terminal keeps for itself: Ctrl-], and then d to leave it or t to take control. Pure. */

/** Ctrl-]: what telnet uses; hardly any program does. */
const ESCAPE = 0x1d;
const DETACH = 'd'.codePointAt(0);
const TAKE = 't'.codePointAt(0);

/** What some typed bytes mean. */
export interface Typed {
  /** What goes to the agent. */
  readonly bytes: Uint8Array;
  readonly isDetach: boolean;
  readonly isTake: boolean;
}

/** Looks for the escape in what is typed. Ctrl-] twice sends one Ctrl-]; before any other key it is passed on with it. */
export class EscapeKeys {
  #isPending = false;

  /** Takes the next bytes. What is typed after a detach is dropped. */
  feed(input: Uint8Array): Typed {
    const bytes: number[] = [];
    let isTake = false;
    for (const byte of input) {
      if (!this.#isPending) {
        if (byte === ESCAPE) this.#isPending = true;
        else bytes.push(byte);
        continue;
      }
      this.#isPending = false;
      if (byte === DETACH) return { bytes: Uint8Array.from(bytes), isDetach: true, isTake };
      if (byte === TAKE) isTake = true;
      else if (byte === ESCAPE) bytes.push(ESCAPE);
      else bytes.push(ESCAPE, byte);
    }
    return { bytes: Uint8Array.from(bytes), isDetach: false, isTake };
  }
}
