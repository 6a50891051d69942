import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import type { Json } from '#shared/kernel/json.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import { mintId } from '#shared/kernel/ids.ts';
import { Message } from '#shared/messages/model.ts';
import { canonicalMessage, canonicalText, SIGNED_FIELDS } from './canonical.ts';

const id = (prefix: 'msg' | 'prj' | 'ses' | 'att'): string => `${prefix}_01900000-0000-7000-8000-000000000001`;
const other = (prefix: 'msg' | 'prj' | 'ses'): string => `${prefix}_01900000-0000-7000-8000-000000000002`;

/** A message with every field set. */
const FULL = Message.parse({
  id: id('msg'),
  projectId: id('prj'),
  sessionId: id('ses'),
  from: { kind: 'agent', id: 'ada' },
  to: ['topic:health.api', 'ben'],
  recipients: ['ben', 'cleo'],
  topic: 'health.api',
  kind: 'task',
  priority: 'high',
  subject: 'Größe',
  body: 'line 1\nline 2 "quoted" \u0007 \u{1f600}',
  data: { b: [1, 2.5, null], a: { '10': true, '9': false } },
  attachments: [
    {
      name: 'a.txt',
      source: { kind: 'workspace', path: 'out/a.txt' },
      bytes: 3,
      sha256: 'ab'.repeat(32),
      mediaType: 'text/plain',
    },
  ],
  inReplyTo: other('msg'),
  threadId: other('msg'),
  originator: { kind: 'operator', id: 'operator', boundary: 'host' },
  sentAt: 1_700_000_000_000,
  expiresAt: 1_700_000_060_000,
  notBefore: 1_700_000_001_000,
  replyBy: 1_700_000_030_000,
});

/** For every field, other values that it may have. */
const OTHERS: { readonly [F in keyof Message]: readonly unknown[] } = {
  id: [other('msg')],
  projectId: [other('prj')],
  sessionId: [other('ses')],
  from: [
    { kind: 'operator', id: 'ada' },
    { kind: 'token', id: 'ada' },
    { kind: 'agent', id: 'adb' },
  ],
  to: [['ben', 'topic:health.api'], ['topic:health.api'], ['topic:health.api,ben']],
  recipients: [['ben'], ['ben', 'cleo', 'dan'], ['cleo', 'ben'], ['ben,cleo'], []],
  topic: [null, 'health.apis'],
  kind: ['note', 'request'],
  priority: ['critical', 'normal'],
  subject: [null, '', 'Groesse', 'Gro\u0308ße'],
  body: ['', `${FULL.body} `, FULL.body.toUpperCase()],
  data: [
    null,
    {},
    { b: [1, 2.5, null], a: { '10': true } },
    { b: [2.5, 1, null], a: { '10': true, '9': false } },
    { b: ['1', 2.5, null], a: { '10': true, '9': false } },
  ],
  attachments: [
    [],
    FULL.attachments.map((one) => ({ ...one, name: 'b.txt' })),
    FULL.attachments.map((one) => ({ ...one, bytes: 4 })),
    FULL.attachments.map((one) => ({ ...one, sha256: 'cd'.repeat(32) })),
    FULL.attachments.map((one) => ({ ...one, mediaType: 'text/html' })),
    FULL.attachments.map((one) => ({ ...one, source: { kind: 'stored', id: id('att') } })),
    [...FULL.attachments, ...FULL.attachments],
  ],
  inReplyTo: [null, id('msg')],
  threadId: [id('msg')],
  originator: [
    { kind: 'agent', id: 'operator', boundary: 'host' },
    { kind: 'operator', id: 'operator', boundary: 'container' },
    { kind: 'operator', id: 'x', boundary: 'host' },
  ],
  sentAt: [1_700_000_000_001],
  expiresAt: [null, 1_700_000_060_001],
  notBefore: [null, 1_700_000_001_001],
  replyBy: [null, 1_700_000_030_001],
};

/** The same value with the keys of all objects in another order. */
function shuffled(value: Json): Json {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, shuffled(inner)]),
  );
}

describe('the canonical form of a message', () => {
  it('is this text, byte for byte', () => {
    expect(canonicalMessage(FULL)).toBe(
      [
        `{"attachments":[{"bytes":3,"mediaType":"text/plain","name":"a.txt","sha256":"${'ab'.repeat(32)}","source":{"kind":"workspace","path":"out/a.txt"}}]`,
        `"body":"line 1\\nline 2 \\"quoted\\" \\u0007 \u{1f600}"`,
        `"data":{"a":{"10":true,"9":false},"b":[1,2.5,null]}`,
        `"expiresAt":1700000060000`,
        `"from":{"id":"ada","kind":"agent"}`,
        `"id":"msg_01900000-0000-7000-8000-000000000001"`,
        `"inReplyTo":"msg_01900000-0000-7000-8000-000000000002"`,
        `"kind":"task"`,
        `"notBefore":1700000001000`,
        `"originator":{"boundary":"host","id":"operator","kind":"operator"}`,
        `"priority":"high"`,
        `"projectId":"prj_01900000-0000-7000-8000-000000000001"`,
        `"recipients":["ben","cleo"]`,
        `"replyBy":1700000030000`,
        `"sentAt":1700000000000`,
        `"sessionId":"ses_01900000-0000-7000-8000-000000000001"`,
        `"subject":"Größe"`,
        `"threadId":"msg_01900000-0000-7000-8000-000000000002"`,
        `"to":["topic:health.api","ben"]`,
        `"topic":"health.api"`,
        `"v":"quarterdeck-message-1"}`,
      ].join(','),
    );
  });

  it('holds every field that a message has', () => {
    expect([...SIGNED_FIELDS].sort()).toEqual(Object.keys(Message.shape).sort());
    expect([...SIGNED_FIELDS, 'v']).toEqual([...SIGNED_FIELDS, 'v'].sort());
  });

  it('changes with any change of any field', () => {
    const text = canonicalMessage(FULL);
    const texts = new Set([text]);
    let changes = 0;
    for (const field of SIGNED_FIELDS) {
      for (const value of OTHERS[field]) {
        changes += 1;
        texts.add(canonicalMessage(Message.parse({ ...FULL, [field]: value })));
      }
    }
    expect(changes).toBeGreaterThanOrEqual(SIGNED_FIELDS.length);
    // All of them differ from the original and from one another.
    expect(texts.size).toBe(changes + 1);
  });

  it('is the same whatever the order of keys, and after a way through JSON', () => {
    const again = Message.parse(shuffled(JSON.parse(JSON.stringify(FULL)) as Json));
    expect(Object.keys(again.data ?? {})).toEqual(['a', 'b']);
    expect(canonicalMessage(again)).toBe(canonicalMessage(FULL));
  });

  it('of two messages is the same only if they are', () => {
    const message = fc.record({
      body: fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed()),
      subject: fc.option(fc.string({ maxLength: 5 })),
      data: fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>,
      to: fc.array(fc.constantFrom('ben', 'cleo', '*', 'operator'), { maxLength: 3 }),
      sentAt: fc.nat(),
      expiresAt: fc.option(fc.nat()),
    });
    fc.assert(
      fc.property(message, fc.option(message, { nil: undefined }), (a, b = a) => {
        const [one, two] = [a, b].map((fields) => Message.parse({ ...FULL, ...fields }));
        if (!one || !two) throw new Error('there are two');
        const isSame = canonicalJson(one) === canonicalJson(two);
        expect(canonicalMessage(one) === canonicalMessage(two)).toBe(isSame);
        expect(canonicalMessage(Message.parse(JSON.parse(JSON.stringify(one))))).toBe(canonicalMessage(one));
      }),
      { numRuns: effort.propertyRuns * 2 },
    );
  });
});

describe('canonical JSON', () => {
  it('is as RFC 8785 has it', () => {
    // Section 3.2.2 and 3.2.3 of RFC 8785.
    const numbers = {
      numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
      literals: [null, true, false],
    };
    expect(canonicalText(numbers)).toBe('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0]}');
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalText(keys)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}');
    expect(canonicalText('\u20ac$\u000f\nA\'B"\\\\"/')).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
  });

  it('keeps keys that other objects treat in their own way, and halves of pairs', () => {
    const strange = JSON.parse('{"__proto__":{"a":1},"constructor":2,"2":3,"10":4}') as Json;
    expect(canonicalText(strange)).toBe('{"10":4,"2":3,"__proto__":{"a":1},"constructor":2}');
    expect(canonicalText('\ud800')).toBe('"\\ud800"');
  });

  it('minted ids are among what is signed', () => {
    const minted = Message.parse({ ...FULL, id: mintId('msg') });
    expect(canonicalMessage(minted)).toContain(minted.id);
  });
});
