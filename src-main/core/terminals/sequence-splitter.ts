/**
 * Cuts terminal output only where a terminal is between two sequences, and takes out what asks the terminal something or
 * reaches beyond its screen (clipboard, printer, notifications, files).
 *
 * Whole sequences, because a viewer may join at any cut: half an escape sequence or half a character would be garbage to
 * whoever did not see its beginning. No questions, because every viewer's terminal would answer them, each answer would be
 * typed into the agent's terminal, and an observer's would be refused; the runtime's own terminal is the one that answers.
 * The states are those of xterm.js' parser (https://vt100.net/emu/dec_ansi_parser, with UTF-8).
 */

/** A sequence longer than this is dropped as a whole (an image, a clipboard): it changes no cell. In bytes. */
export const MAX_SEQUENCE_BYTES = 64 * 1024;

const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const DEL = 0x7f;
/** First byte of the UTF-8 form of the C1 controls. */
const C1_LEAD = 0xc2;
const INCOMPLETE = -1;

type Kind = 'csi' | 'osc' | 'dcs' | 'string';

/** The kinds by the byte after ESC; as C1 control the byte is 0x40 higher. */
const KINDS: ReadonlyMap<number, Kind> = new Map([
  [0x5b, 'csi'],
  [0x5d, 'osc'],
  [0x50, 'dcs'],
  [0x58, 'string'],
  [0x5e, 'string'],
  [0x5f, 'string'],
]);

const EMPTY = new Uint8Array(0);

/** Feeds on chunks as they come and gives out whole sequences. */
export class SequenceSplitter {
  readonly #hasOneScreen: boolean;
  #held: Uint8Array = EMPTY;
  /** Set while the rest of an overlong sequence is dropped. */
  #skipping: Kind | undefined;

  /**
   * `hasOneScreen`: the switch to the alternate screen and back is taken out. For a tmux client: it draws both screens of the
   * program by itself, and has a viewer's terminal on its alternate one for ever, where nothing can be scrolled back to.
   */
  constructor({ hasOneScreen = false }: { hasOneScreen?: boolean } = {}) {
    this.#hasOneScreen = hasOneScreen;
  }

  /** Takes the next chunk; returns what is complete. The result may share memory with `chunk`. */
  feed(chunk: Uint8Array): Uint8Array {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = EMPTY;
    if (this.#skipping !== undefined) {
      const end = endOf(bytes, 0, this.#skipping, true);
      if (end === INCOMPLETE) return EMPTY;
      this.#skipping = undefined;
      bytes = bytes.subarray(end);
    }
    const parts: Uint8Array[] = [];
    let from = 0;
    let at = 0;
    while (at < bytes.length) {
      const start = nextStart(bytes, at);
      if (start === bytes.length) {
        at = start;
        break;
      }
      const sequence = readSequence(bytes, start);
      if (sequence.end === INCOMPLETE) {
        if (bytes.length - start > MAX_SEQUENCE_BYTES) this.#skipping = sequence.kind;
        else this.#held = bytes.slice(start);
        at = start;
        break;
      }
      if (isKeptBack(bytes, start, sequence.end, sequence.kind, this.#hasOneScreen)) {
        if (start > from) parts.push(bytes.subarray(from, start));
        from = sequence.end;
      }
      at = sequence.end;
    }
    if (parts.length === 0) return bytes.subarray(from, at);
    parts.push(bytes.subarray(from, at));
    return Buffer.concat(parts);
  }
}

/** Where the next escape sequence or character of several bytes starts; `bytes.length` when there is none. */
function nextStart(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC || byte >= C1_LEAD) return at;
  }
  return bytes.length;
}

interface Sequence {
  /** After its last byte, or `INCOMPLETE`. */
  readonly end: number;
  readonly kind: Kind | undefined;
}

function readSequence(bytes: Uint8Array, start: number): Sequence {
  if (bytes[start] !== ESC) return readCharacter(bytes, start);
  let hasIntermediate = false;
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC || byte >= 0x80) return { end: at, kind: undefined };
    if (byte === CAN || byte === SUB) return { end: at + 1, kind: undefined };
    if (byte < 0x20 || byte === DEL) continue;
    if (byte <= 0x2f) {
      hasIntermediate = true;
      continue;
    }
    const kind = hasIntermediate ? undefined : KINDS.get(byte);
    return kind === undefined ? { end: at + 1, kind } : { end: endOf(bytes, at + 1, kind, false), kind };
  }
  return { end: INCOMPLETE, kind: undefined };
}

function readCharacter(bytes: Uint8Array, start: number): Sequence {
  const lead = bytes[start] ?? 0;
  const length = lead >= 0xf5 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  for (let at = start + 1; at < start + length; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return { end: INCOMPLETE, kind: undefined };
    if ((byte & 0xc0) !== 0x80) return { end: at, kind: undefined };
  }
  const kind = lead === C1_LEAD ? KINDS.get((bytes[start + 1] ?? 0) - 0x40) : undefined;
  return kind === undefined ? { end: start + length, kind } : { end: endOf(bytes, start + 2, kind, false), kind };
}

/** Where the sequence whose introducer ends at `from` is over. An ESC ends every kind and belongs to what follows. */
function endOf(bytes: Uint8Array, from: number, kind: Kind, isInside: boolean): number {
  // The parameters of a device control string are read like those of a CSI, its content like a string.
  let isHead = kind === 'csi' || (kind === 'dcs' && !isInside);
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC) return at;
    if (byte === CAN || byte === SUB) return at + 1;
    if (isHead) {
      if (byte >= 0x80) return at;
      if (byte < 0x40 || byte === DEL) continue;
      if (kind === 'csi') return at + 1;
      isHead = false;
    } else if (byte === BEL && kind === 'osc') {
      return at + 1;
    } else if (byte === 0x9c && bytes[at - 1] === C1_LEAD) {
      return at + 1;
    }
  }
  return INCOMPLETE;
}

/** CSI sequences that report: device attributes, status, modes, checksums, window, graphics, keyboard. */
const ASKING_CSI =
  /^(?:[>=]?[\d;:]*c|\??[\d;:]*n|\??[\d;:]*\$p|[\d;:]*x|&u|[\d;:]*\$w|[\d;:]*\*y|>[\d;:]*q|\?u|\?[\d;:]*[mS]|0*(?:11|13|14|15|16|18|19|20|21)(?:[;:][\d;:]*)?t)$/;
/** Media copy: what follows goes to the operator's printer. */
const PRINTING_CSI = /^\??[\d;:]*i$/;
/** The switch between the two screens. */
const SCREEN_CSI = /^\?(?:47|1047|1049)[hl]$/;
/** Status and capability requests. */
const ASKING_DCS = /^[\d;:]*[$+]q/;
/** The OSC sequences that a screen may need: titles, colours, links, marks of a shell's prompt. */
const SHOWN_OSC = /^(?:[0124578]|1\d|10[45]|11\d|133)(?:;|$)/;
/** Colours with a question mark for the value. */
const ASKING_OSC = /^(?:4|5|1\d);(?:.*;)?\?/s;
/** Characters that a terminal passes over inside a sequence, and the end of one. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const PASSED_OVER = /[\x00-\x1f\x7f]|\xc2?\x9c$/g;

/**
 * Whether a viewer's terminal must not get a sequence: it would answer, or do something beside showing a screen. The
 * operator's clipboard, printer, notifications and downloads are not an agent's (tmux keeps them from its clients likewise).
 */
function isKeptBack(bytes: Uint8Array, start: number, end: number, kind: Kind | undefined, hasOneScreen: boolean): boolean {
  if (kind === undefined) return bytes[start] === ESC && end === start + 2 && bytes[start + 1] === 0x5a;
  if (kind === 'string') return false;
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + start + 2, end - start - 2)
    .toString('latin1')
    .replace(PASSED_OVER, '');
  if (kind === 'csi') return ASKING_CSI.test(body) || PRINTING_CSI.test(body) || (hasOneScreen && SCREEN_CSI.test(body));
  if (kind === 'dcs') return ASKING_DCS.test(body);
  return !SHOWN_OSC.test(body) || ASKING_OSC.test(body);
}
