import fc from 'fast-check';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { HelloWatch, parseClientHello } from './client-hello.ts';
import { listenAnywhere, portOf } from './testing/gateway-bench.ts';

/** The ClientHello that Node's own TLS sends: one record. */
async function recordHello(options: ConnectionOptions): Promise<Buffer> {
  return await new Promise<Buffer>((resolve, reject) => {
    const server = createServer((socket) => {
      socket.once('data', (chunk) => {
        resolve(chunk);
        socket.destroy();
        server.close();
      });
    });
    listenAnywhere(server).then(() => {
      connect({ port: portOf(server), host: '127.0.0.1', ...options }).on('error', () => undefined);
    }, reject);
  });
}

interface Parts {
  readonly name?: string;
  readonly extensions?: readonly Buffer[];
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([u16(type), u16(body.length), body]);
}

function sni(...names: readonly string[]): Buffer {
  const entries = names.map((name) => Buffer.concat([Buffer.from([0]), u16(name.length), Buffer.from(name)]));
  const list = Buffer.concat(entries);
  return extension(0, Buffer.concat([u16(list.length), list]));
}

/** A ClientHello as a handshake message. */
function hello({ name, extensions = [] }: Parts): Buffer {
  const all = Buffer.concat([...(name === undefined ? [] : [sni(name)]), ...extensions]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    Buffer.from([0, 2, 0x13, 0x01]),
    Buffer.from([1, 0]),
    u16(all.length),
    all,
  ]);
  return Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
}

function record(payload: Buffer, type = 22): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 1]), u16(payload.length), payload]);
}

/** What comes of bytes that arrive in these chunks. */
function watch(
  chunks: readonly Buffer[],
  name = 'example.org',
): { readonly passed: Buffer; readonly refused: string | undefined; readonly accepted: boolean } {
  const watched = new HelloWatch(name);
  const passed: Buffer[] = [];
  let refused: string | undefined;
  for (const chunk of chunks) {
    const result = watched.push(chunk);
    passed.push(result.forward);
    refused ??= result.refused;
  }
  return { passed: Buffer.concat(passed), refused, accepted: watched.isAccepted };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

let real: Buffer;
let realTls12: Buffer;
beforeAll(async () => {
  real = await recordHello({ servername: 'example.org', ALPNProtocols: ['h2', 'http/1.1'] });
  realTls12 = await recordHello({ servername: 'example.org', maxVersion: 'TLSv1.2' });
});

describe('a ClientHello', () => {
  it('of Node is read, and passed as it is with what follows', () => {
    for (const bytes of [real, realTls12]) {
      const rest = Buffer.from('anything');
      expect(watch([bytes])).toEqual({ passed: bytes, refused: undefined, accepted: true });
      const withMore = Buffer.concat([bytes, record(Buffer.from([16, 0, 0, 0])), rest]);
      expect(watch([withMore]).passed.equals(withMore)).toBe(true);
    }
  });

  it.each([
    ['another name', { name: 'evil.example' }, 'names another server, "evil.example"'],
    ['a name below', { name: 'a.example.org' }, 'names another server'],
    ['the name with a dot', { name: 'example.org.' }, 'names another server'],
    ['a zero byte in the name', { name: 'example.org\0.evil' }, 'malformed'],
    ['no name', {}, 'no SNI'],
    ['two names', { extensions: [sni('example.org', 'evil.example')] }, 'several server names'],
    ['two lists of names', { extensions: [sni('example.org'), sni('example.org')] }, 'extension twice'],
    ['an outer ECH', { name: 'example.org', extensions: [extension(0xfe0d, Buffer.from([0, 0, 1, 0, 1, 5]))] }, 'ECH'],
    ['an inner ECH', { name: 'example.org', extensions: [extension(0xfe0d, Buffer.from([1]))] }, 'ECH'],
    ['an ESNI', { name: 'example.org', extensions: [extension(0xffce, Buffer.from([1]))] }, 'ECH'],
  ])('with %s is refused', (_what, parts, reason) => {
    const { passed, refused, accepted } = watch([record(hello(parts))]);
    expect(refused).toContain(reason);
    expect(passed.length).toBe(0);
    expect(accepted).toBe(false);
  });

  it('is the same in upper case', () => {
    expect(watch([record(hello({ name: 'EXAMPLE.org' }))]).accepted).toBe(true);
  });

  it('in many records is read, and passed record by record as it came', () => {
    const message = hello({ name: 'example.org' });
    const records = Buffer.concat([...message].map((byte) => record(Buffer.from([byte]))));
    expect(watch([...records].map((byte) => Buffer.from([byte])))).toEqual({
      passed: records,
      refused: undefined,
      accepted: true,
    });
    const wrong = Buffer.concat([...hello({ name: 'example.com' })].map((byte) => record(Buffer.from([byte]))));
    expect(watch([wrong]).refused).toContain('another server');
  });

  it.each([
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'), 'does not speak TLS'],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 'does not speak TLS'],
    ['an SSLv2 hello', Buffer.from([0x80, 0x2e, 1, 3, 1, 0, 0x15]), 'does not speak TLS'],
    ['application data', record(Buffer.from('x'), 23), 'does not speak TLS'],
    ['an empty record', record(Buffer.alloc(0)), 'wrong length'],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x50, 0]), 'wrong length'],
    ['another message', record(Buffer.from([2, 0, 0, 1, 0])), 'does not begin with a ClientHello'],
    ['a huge ClientHello', record(Buffer.from([1, 1, 0, 0])), 'too large'],
    ['something behind it in its record', record(Buffer.concat([hello({ name: 'example.org' }), Buffer.from([1])])), 'behind'],
    ['lengths that do not fit', record(Buffer.from([1, 0, 0, 3, 3, 3, 9])), 'malformed'],
  ])('is not %s', (_what, bytes, reason) => {
    const { passed, refused } = watch([bytes]);
    expect(refused).toContain(reason);
    expect(passed.length).toBe(0);
  });

  it('that never ends has a limit', () => {
    const message = Buffer.concat([Buffer.from([1, 0, 0x80, 0]), Buffer.alloc(0x8000)]);
    const records = Buffer.concat([...message].map((byte) => record(Buffer.from([byte]))));
    expect(watch([records]).refused).toContain('too large');
  });

  it('that comes again after a HelloRetryRequest must name the same server', () => {
    const first = record(hello({ name: 'example.org' }));
    const change = record(Buffer.from([1]), 20);
    const same = Buffer.concat([first, change, record(hello({ name: 'example.org' })), record(Buffer.from('secret'), 23)]);
    expect(watch([same])).toEqual({ passed: same, refused: undefined, accepted: true });
    for (const second of [
      record(hello({ name: 'evil.example' })),
      record(hello({})),
      Buffer.concat([...hello({ name: 'evil.example' })].map((byte) => record(Buffer.from([byte])))),
    ]) {
      const seen = watch([Buffer.concat([first, change, second])]);
      expect(seen.refused).toMatch(/another server|no SNI/);
    }
    const early = record(hello({ name: 'example.org', extensions: [extension(42, Buffer.alloc(0))] }));
    const afterData = Buffer.concat([early, record(Buffer.from('early'), 23), change, record(hello({ name: 'evil.example' }))]);
    expect(watch([afterData]).refused).toContain('another server');
  });

  it('is followed by ciphertext that may begin with any byte', () => {
    const first = record(hello({ name: 'example.org' }));
    const finished = record(Buffer.concat([Buffer.from([1, 0xff, 9, 9, 9, 9]), Buffer.alloc(34, 5)]));
    const all = Buffer.concat([first, record(Buffer.from([1]), 20), finished, Buffer.from('more')]);
    expect(watch([all])).toEqual({ passed: all, refused: undefined, accepted: true });
  });
});

describe('whatever comes', () => {
  const messages = fc.oneof(
    fc.constantFrom<Parts>({ name: 'example.org' }, { name: 'evil.example' }, {}).map((parts) => record(hello(parts))),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => record(Buffer.concat([Buffer.from([1]), bytes]))),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(record(Buffer.from([1]), 20)),
    fc.constant(record(Buffer.from('data'), 23)),
  );

  it('is judged the same however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(messages, { maxLength: 5 }),
        fc.array(fc.nat(2000), { maxLength: 12 }),
        fc.boolean(),
        (parts, places, withReal) => {
          const bytes = Buffer.concat([...(withReal ? [real] : []), ...parts]);
          const whole = watch([bytes]);
          const pieces = watch(cut(bytes, places));
          expect(pieces.refused === undefined).toBe(whole.refused === undefined);
          expect(pieces.accepted).toBe(whole.accepted);
          // What was passed before a refusal may have left already; it is never anything else than what came first.
          expect(bytes.subarray(0, pieces.passed.length).equals(pieces.passed)).toBe(true);
          expect(whole.refused !== undefined || pieces.passed.equals(whole.passed)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never crashes the reader, and lets nothing through that does not name the server', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseClientHello(Buffer.from(bytes));
        expect(watch([Buffer.from(bytes)]).passed.length).toBe(0);
        expect(watch([record(Buffer.concat([Buffer.from([1]), bytes]))]).passed.length).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('of a real ClientHello with bytes changed passes only with its name', () => {
    fc.assert(
      fc.property(fc.nat(real.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(real);
        changed[at] = byte;
        const { passed } = watch([changed]);
        expect(passed.length === 0 || changed.toString('latin1').toLowerCase().includes('example.org')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
