import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CREDENTIAL_KINDS } from '#shared/middleware/model.ts';
import { effort } from '#e2e/support/effort.ts';
import { redactJson, redactText } from './redaction.ts';
import { SecretMarks } from './secret-marks.ts';

const ALL = { patterns: [...CREDENTIAL_KINDS] };

function clean(text: string): string {
  return redactText(text, ALL, new Map());
}

/** Characters of a credential, so many of them. */
function chars(alphabet: string, length: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length + 20 }).map((list) => list.join(''));
}

const ALNUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const URL_SAFE = `${ALNUM}-_`;

/** Credentials: what stands before and after the part that must not be left, and that part. */
const CREDENTIALS: Readonly<Record<string, fc.Arbitrary<{ before: string; secret: string; after: string }>>> = {
  anthropic: chars(URL_SAFE, 40).map((secret) => ({ before: 'sk-ant-api03-', secret, after: '' })),
  openai: chars(ALNUM, 32).map((secret) => ({ before: 'sk-', secret, after: '' })),
  aws: chars('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16).map((secret) => ({ before: 'AKIA', secret, after: '' })),
  'aws secret': chars(`${ALNUM}/+`, 40).map((secret) => ({ before: 'aws_secret_access_key = ', secret, after: '' })),
  google: chars(URL_SAFE, 35).map((secret) => ({ before: 'AIza', secret, after: '' })),
  github: chars(ALNUM, 36).map((secret) => ({ before: 'ghp_', secret, after: '' })),
  gitlab: chars(URL_SAFE, 20).map((secret) => ({ before: 'glpat-', secret, after: '' })),
  slack: chars(`${ALNUM}-`, 30).map((secret) => ({ before: 'xoxb-', secret, after: '' })),
  stripe: chars(ALNUM, 24).map((secret) => ({ before: 'sk_live_', secret, after: '' })),
  npm: chars(ALNUM, 36).map((secret) => ({ before: 'npm_', secret, after: '' })),
  'our own': chars(URL_SAFE, 43).map((secret) => ({ before: 'qda_', secret, after: '' })),
  jwt: fc
    .tuple(chars(URL_SAFE, 20), chars(URL_SAFE, 40), chars(URL_SAFE, 43))
    .map(([a, b, c]) => ({ before: 'eyJ', secret: `${a}.eyJ${b}.${c}`, after: '' })),
  'connection string': chars(`${ALNUM}!$%@:`, 8).map((secret) => ({
    before: 'postgres://app:',
    secret,
    after: '@db.example.org/shop',
  })),
  netrc: chars(ALNUM, 10).map((secret) => ({ before: 'machine git.example.org login me password ', secret, after: '\n' })),
  bearer: chars(ALNUM, 12).map((secret) => ({ before: 'Authorization: Bearer ', secret, after: '' })),
  'private key': chars(`${ALNUM}+/\n`, 200).map((secret) => ({
    before: '-----BEGIN OPENSSH PRIVATE KEY-----\n',
    secret,
    after: '\n-----END OPENSSH PRIVATE KEY-----',
  })),
  'private key cut off': chars(`${ALNUM}+/\n`, 200).map((secret) => ({
    before: '-----BEGIN PRIVATE KEY-----\n',
    secret,
    after: '',
  })),
  telegram: chars(URL_SAFE, 33).map((secret) => ({ before: '123456789:AA', secret, after: '' })),
  assignment: chars(ALNUM, 12).map((secret) => ({ before: 'DB_PASSWORD="', secret, after: '"' })),
};

/** Parts of a secret longer than six characters that are in a text. */
function partsLeft(secret: string, text: string): string[] {
  const parts = Array.from({ length: Math.max(0, secret.length - 6) }, (_, i) => secret.slice(i, i + 7));
  return parts.filter((part) => text.includes(part));
}

describe('redaction', () => {
  it.each(Object.keys(CREDENTIALS))('leaves no part longer than six characters of a credential: %s', (name) => {
    const surroundings = fc.string({ maxLength: 60 });
    fc.assert(
      fc.property(
        CREDENTIALS[name] ?? fc.constant({ before: '', secret: '', after: '' }),
        surroundings,
        surroundings,
        (c, left, right) => {
          // A key begins where a word does.
          const text = `${left} ${c.before}${c.secret}${c.after}${right}`;
          // What stands around may hold the same characters by itself.
          const around = `${left}${right}`;
          expect(partsLeft(c.secret, clean(text)).filter((part) => !around.includes(part))).toEqual([]);
        },
      ),
      { numRuns: effort.propertyRuns * 3 },
    );
  });

  it('finds each of several, whatever stands between', () => {
    const named = Object.values(CREDENTIALS);
    fc.assert(
      fc.property(fc.array(fc.oneof(...named), { minLength: 2, maxLength: 5 }), (list) => {
        const text = list.map(({ before, secret, after }) => `${before}${secret}${after}`).join('\n');
        const left = clean(text);
        expect(list.flatMap(({ secret }) => partsLeft(secret, left))).toEqual([]);
      }),
      { numRuns: effort.propertyRuns * 3 },
    );
  });

  it('says what it was, and leaves the rest as it is', () => {
    const counts = new Map<string, number>();
    const text = 'use ghp_0123456789abcdefghijABCDEFGHIJ012345, then postgres://me:hunter2hunter2@db/x';
    expect(redactText(text, ALL, counts)).toBe('use [redacted:token], then postgres://me:[redacted:connection-string]@db/x');
    expect([...counts]).toEqual([
      ['token', 1],
      ['connection-string', 1],
    ]);
  });

  it.each([
    'task-implement-the-new-middleware-chain-for-messages',
    'the basic internationalization of the bearer of news',
    'see https://example.org:8080/path@home and git@example.org:team/repo.git',
    'commit 3f786850e387550fdab836ed7e6dc881de23001b of branch feature/desk-0123456789abcdef0123456789',
    'set API_KEY=$API_KEY and TOKEN=<yours>',
    'machine learning needs a password policy',
    '01890a5d-ac96-774b-bcce-b302099a8057 msg_01890a5d-ac96-774b-bcce-b302099a8057',
  ])('lets be what only looks like one: %s', (text) => {
    expect(clean(text)).toBe(text);
  });

  it('reaches every text of data, names of fields too, and keeps its shape', () => {
    const key = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
    const counts = new Map<string, number>();
    const data = { a: [key, 1, null, true], [key]: 'one', '[redacted:token]': 'two', b: { c: `x ${key}` } };
    expect(redactJson(data, ALL, counts)).toEqual({
      a: ['[redacted:token]', 1, null, true],
      '[redacted:token]#2': 'one',
      '[redacted:token]': 'two',
      b: { c: 'x [redacted:token]' },
    });
    expect(counts.get('token')).toBe(3);
    const harmless = { a: ['b', { c: 1 }] };
    expect(redactJson(harmless, ALL, counts)).toBe(harmless);
  });

  it('takes time in proportion to the text, also where much looks like a beginning', () => {
    // Each would take hours where an expression tried every way to read it: this ends, or the test's own limit does it.
    for (const piece of ['-----BEGIN PRIVATE KEY-----', 'a://b:', 'eyJ', 'sk-', 'machine a ', 'Authorization: ', 'TOKEN=', '0'])
      expect(clean(piece.repeat(Math.floor(65_536 / piece.length))).length).toBeGreaterThan(0);
  }, 60_000);
});

describe('values of stored secrets', () => {
  const place = { name: 'KEY', projectId: 'p' };

  it('are found wherever they stand, as they are, in JSON and in addresses, and leave no part', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 80, unit: 'grapheme' }),
        fc.string({ maxLength: 80 }),
        fc.string({ maxLength: 80 }),
        fc.constantFrom('plain', 'json', 'url'),
        (value, left, right, form) => {
          const marks = new SecretMarks<typeof place>();
          marks.add(place, value);
          const shown =
            form === 'json'
              ? JSON.stringify(value).slice(1, -1)
              : form === 'url'
                ? encodeURIComponent(value.toWellFormed())
                : value;
          if (form === 'url' && !value.isWellFormed()) return;
          const text = redactText(
            `${left}${shown}${right}`,
            { patterns: [], findSecrets: (t) => marks.find(t, () => value) },
            new Map(),
          );
          expect(text).toContain('[redacted:secret]');
          const around = `${left}[redacted:secret]${right}`;
          expect(partsLeft(shown, text).filter((part) => !around.includes(part))).toEqual([]);
        },
      ),
      { numRuns: effort.propertyRuns * 5 },
    );
  });

  it('are opened only where a text has their mark', () => {
    const marks = new SecretMarks<typeof place>();
    marks.add(place, 'correct horse battery staple');
    let opened = 0;
    const open = (): string => {
      opened += 1;
      return 'correct horse battery staple';
    };
    expect(marks.find('nothing of the kind, though a horse is here', open)).toEqual([]);
    expect(opened).toBe(0);
    expect(marks.find('a correct horse battery staple!', open)).toEqual([{ from: 2, to: 30 }]);
    expect(opened).toBe(1);
    // The mark alone is not the secret.
    expect(marks.find('another horse battery staples', open)).toEqual([]);
    expect(JSON.stringify(marks)).not.toContain('horse');
  });

  it('that are too short to be told from words are not looked for', () => {
    const marks = new SecretMarks<typeof place>();
    marks.add(place, 'secret');
    expect(marks.find('no secret here', () => 'secret')).toEqual([]);
  });
});
