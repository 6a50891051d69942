/**
 * Watches the client's side of a TLS connection until its server name is certain, without being part of it: what passes is
 * passed as it is. TLS 1.0 to 1.3 (RFC 8446 4.1.2 and 5.1, RFC 6066 3). The whole ClientHello must be there, in as many records
 * and segments as it likes, and name exactly the server that was asked for. A second ClientHello (after a
 * HelloRetryRequest, RFC 8446 4.1.4) is held to the same.
 */

/** Largest ClientHello in bytes. With post-quantum keys they have about 2 KB. */
const MAX_HELLO_BYTES = 32_768;
/** Most bytes of records that may carry it: a record has a head of 5 bytes, and may carry as little as one. */
const MAX_RAW_BYTES = 65_536;
/** Largest record: 2^14 bytes, and 256 that encryption may add (RFC 8446 5.2). */
const MAX_RECORD_BYTES = 16_640;

const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const;
const CLIENT_HELLO = 1;
const EXTENSION = { serverName: 0, earlyData: 42 } as const;
/** encrypted_client_hello (RFC 9849) and those of its drafts that were in use, and encrypted_server_name before it. */
const ENCRYPTED_NAME: ReadonlySet<number> = new Set([0xfe0d, 0xfe0a, 0xfe09, 0xfe08, 0xffce]);

/** What a ClientHello says that matters here. */
export interface ClientHello {
  /** In lower case; undefined when it names none. */
  readonly serverName: string | undefined;
  /** Whether a part of it is encrypted for somebody else: then the name that is seen may not be the one that is meant. */
  readonly isEncrypted: boolean;
  /** Whether data follows before the server has answered. */
  readonly hasEarlyData: boolean;
}

/** A ClientHello, or why it is none. */
export type ParsedHello = { readonly ok: true; readonly hello: ClientHello } | { readonly ok: false; readonly reason: string };

/** What became of some bytes. */
export interface Watched {
  /** Bytes that may go on to the server now, in order. */
  readonly forward: Buffer;
  /** Why the connection must end; nothing of it goes on any more. */
  readonly refused?: string;
}

/** Reads the body of a ClientHello: a handshake message without its head of four bytes. Never throws. */
export function parseClientHello(body: Buffer): ParsedHello {
  const reader = new Reader(body);
  reader.skip(2 + 32);
  reader.skip(reader.number(1));
  reader.skip(reader.number(2));
  reader.skip(reader.number(1));
  // Before TLS 1.2 there may be no extensions at all.
  const extensions = reader.isAtEnd ? new Reader(Buffer.alloc(0)) : reader.part(2);
  if (reader.isBroken || !reader.isAtEnd) return malformed();
  const seen = new Set<number>();
  let serverName: string | undefined;
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = extensions.part(2);
    if (extensions.isBroken) return malformed();
    if (seen.has(type)) return { ok: false, reason: 'its ClientHello has an extension twice' };
    seen.add(type);
    if (type !== EXTENSION.serverName) continue;
    const list = content.part(2);
    const nameType = list.number(1);
    const name = list.bytes(list.number(2));
    if (list.isBroken || content.isBroken || !content.isAtEnd || nameType !== 0) return malformed();
    if (!list.isAtEnd) return { ok: false, reason: 'its ClientHello has several server names' };
    if (name.length === 0 || name.some((byte) => byte <= 0x20 || byte >= 0x7f)) return malformed();
    serverName = name.toString('latin1').toLowerCase();
  }
  return {
    ok: true,
    hello: {
      serverName,
      isEncrypted: [...seen].some((type) => ENCRYPTED_NAME.has(type)),
      hasEarlyData: seen.has(EXTENSION.earlyData),
    },
  };
}

/** Lets a client's bytes through once its ClientHello named the server that was asked for. One for each connection. */
export class HelloWatch {
  readonly #serverName: string;
  #phase: 'hello' | 'after' | 'passing' | 'refused' = 'hello';
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes that have to be there before anything can be decided. */
  #needed = 5;
  /** Records of a ClientHello that is not whole yet: as they came, and what they carry. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #hello: Buffer[] = [];
  #helloBytes = 0;
  #hasEarlyData = false;
  #wasAccepted = false;

  constructor(serverName: string) {
    this.#serverName = serverName;
  }

  /** Whether the first ClientHello was there and right. */
  get isAccepted(): boolean {
    return this.#wasAccepted && this.#phase !== 'refused';
  }

  /** Whether the rest is passed without a look at it. */
  get isPassing(): boolean {
    return this.#phase === 'passing';
  }

  /** Takes bytes as they came from the client. */
  push(chunk: Buffer): Watched {
    if (this.#phase === 'refused') return { forward: EMPTY, refused: 'the connection was refused before' };
    if (this.#phase === 'passing') return { forward: chunk };
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    const forward: Buffer[] = [];
    while (this.#pendingBytes >= this.#needed) {
      const bytes =
        this.#pending.length === 1 && this.#pending[0] !== undefined ? this.#pending[0] : Buffer.concat(this.#pending);
      const problem = this.#step(bytes, forward);
      if (problem === undefined) continue;
      this.#phase = 'refused';
      this.#pending = [];
      this.#held = [];
      this.#hello = [];
      return { forward: EMPTY, refused: problem };
    }
    return { forward: forward.length === 1 && forward[0] !== undefined ? forward[0] : Buffer.concat(forward) };
  }

  /** Takes the next record off `bytes`, or says how many bytes it needs for it. */
  #step(bytes: Buffer, forward: Buffer[]): string | undefined {
    if (this.#phase === 'passing') {
      forward.push(bytes);
      this.#keep(EMPTY);
      this.#needed = 1;
      return undefined;
    }
    const type = bytes[0];
    const length = bytes.readUInt16BE(3);
    const isKnown = type === RECORD.handshake || (this.#phase === 'after' && type !== undefined && type >= 20 && type <= 23);
    if (!isKnown || bytes[1] !== 3 || (bytes[2] ?? 9) > 4) {
      return this.#phase === 'hello' && !this.#wasAccepted ? 'it does not speak TLS' : 'it stopped speaking TLS';
    }
    if (length === 0 || length > MAX_RECORD_BYTES) return 'a TLS record has a wrong length';
    if (bytes.length < 5 + length) {
      this.#keep(bytes);
      this.#needed = 5 + length;
      return undefined;
    }
    this.#keep(bytes.subarray(5 + length));
    const problem = this.#record(type ?? 0, bytes.subarray(0, 5 + length), forward);
    // Nothing is looked at any more, so nothing is waited for either.
    this.#needed = this.isPassing ? 1 : 5;
    return problem;
  }

  #keep(rest: Buffer): void {
    this.#pending = rest.length > 0 ? [rest] : [];
    this.#pendingBytes = rest.length;
  }

  #record(type: number, raw: Buffer, forward: Buffer[]): string | undefined {
    const payload = raw.subarray(5);
    if (this.#phase === 'after') {
      const goesOn = type === RECORD.changeCipherSpec || type === RECORD.alert || (type === RECORD.data && this.#hasEarlyData);
      if (goesOn || !(type === RECORD.handshake && looksLikeHello(payload))) {
        forward.push(raw);
        if (!goesOn) this.#phase = 'passing';
        return undefined;
      }
      this.#phase = 'hello';
    }
    this.#held.push(raw);
    this.#heldBytes += raw.length;
    this.#hello.push(payload);
    this.#helloBytes += payload.length;
    if (this.#heldBytes > MAX_RAW_BYTES) return 'its ClientHello is too large';
    if (this.#helloBytes < 4) return this.#hello[0]?.[0] === CLIENT_HELLO ? undefined : 'it does not begin with a ClientHello';
    return this.#tryHello(forward);
  }

  #tryHello(forward: Buffer[]): string | undefined {
    // Joined once, when its length can be read: joining with every record would take time by their square.
    if ((this.#hello[0]?.length ?? 0) < 4) this.#hello = [Buffer.concat(this.#hello)];
    const first = this.#hello[0];
    if (first === undefined || first[0] !== CLIENT_HELLO) return 'it does not begin with a ClientHello';
    const length = first.readUIntBE(1, 3);
    if (length > MAX_HELLO_BYTES) return 'its ClientHello is too large';
    if (this.#helloBytes < 4 + length) return undefined;
    if (this.#helloBytes > 4 + length) return 'something is behind the ClientHello in its record';
    const parsed = parseClientHello(Buffer.concat(this.#hello).subarray(4));
    if (!parsed.ok) return parsed.reason;
    const { serverName, isEncrypted, hasEarlyData } = parsed.hello;
    if (isEncrypted) return 'its ClientHello is encrypted (ECH), so that its server name cannot be checked';
    if (serverName === undefined) return 'its ClientHello names no server (no SNI)';
    if (serverName !== this.#serverName) {
      return `its ClientHello names another server, "${serverName.slice(0, 253)}"`;
    }
    forward.push(...this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#hello = [];
    this.#helloBytes = 0;
    this.#hasEarlyData = hasEarlyData;
    this.#wasAccepted = true;
    this.#phase = 'after';
    return undefined;
  }
}

const EMPTY = Buffer.alloc(0);

function malformed(): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason: 'its ClientHello is malformed' };
}

/**
 * Whether a later handshake record begins a ClientHello. It may as well be ciphertext that happens to begin with the same byte
 * (a Finished of TLS 1.2, never shorter than 16 bytes), so the length and version that follow have to fit too.
 */
function looksLikeHello(payload: Buffer): boolean {
  if (payload[0] !== CLIENT_HELLO) return false;
  if (payload.length < 6) return true;
  return payload.readUIntBE(1, 3) <= MAX_HELLO_BYTES && payload[4] === 3;
}

/** Reads numbers and parts in network order; past the end everything is empty and `isBroken` says so. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  isBroken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.isBroken || this.#at >= this.#bytes.length;
  }

  bytes(count: number): Buffer {
    if (this.isBroken || this.#at + count > this.#bytes.length) {
      this.isBroken = true;
      return EMPTY;
    }
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  skip(count: number): void {
    this.bytes(count);
  }

  number(size: 1 | 2): number {
    const bytes = this.bytes(size);
    return bytes.length === size ? bytes.readUIntBE(0, size) : 0;
  }

  /** What a length of so many bytes announces. */
  part(sizeOfLength: 1 | 2): Reader {
    const part = new Reader(this.bytes(this.number(sizeOfLength)));
    part.isBroken = this.isBroken;
    return part;
  }
}
