import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { verifyJournal } from '#core/journal/verify.ts';
import { readHeadFile } from '#core/journal/head-file.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import { ProjectId, mintId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Caller } from '#core/caller.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { secretsHandlers } from './handlers.ts';
import { loadAuditKey } from './key-file.ts';
import { keyFileSource, passphraseSource } from './key-source.ts';
import type { KeySource } from './key-source.ts';
import { MAX_SECRETS } from './secrets-repository.ts';
import { seal, unseal } from './seal.ts';
import { SecretsService } from './secrets-service.ts';

const operator: Caller = { actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'web' };
const project = ProjectId.parse(mintId('prj'));
const other = ProjectId.parse(mintId('prj'));

let now: number;
let test: TestStore;
let events: JournalEvent[];

const folder = (): string => join(test.dir, 'secrets');

async function openSecrets(
  keySource: KeySource = keyFileSource(folder()),
): Promise<{ secrets: SecretsService; problem: string | undefined }> {
  const secrets = new SecretsService({
    store: test.store,
    keySource,
    isProject: (id) => id === project || id === other,
    now: () => now,
  });
  const { problem } = await secrets.open();
  return { secrets, problem };
}

beforeEach(() => {
  now = 1_750_000_000_000;
  events = [];
  test = openTestStore();
  test.journal.onCommitted((batch) => events.push(...batch));
});
afterEach(() => test.dispose());

describe('sealing', () => {
  const key = new Uint8Array(32).fill(1);
  const row = { projectId: project, name: 'API_KEY' };

  it('opens with the same key for the same row, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(unseal(key, row, seal(key, row, text))).toEqual({ ok: true, value: text });
      }),
      { numRuns: effort.propertyRuns },
    );
  });

  it('never gives the same blob twice, and hides the text', () => {
    const blobs = Array.from({ length: 50 }, () => seal(key, row, 'hunter2-hunter2').toString('hex'));
    expect(new Set(blobs).size).toBe(50);
    expect(Buffer.from(blobs[0] ?? '', 'hex').toString('latin1')).not.toContain('hunter2');
  });

  it('does not open after any single byte was changed, when cut, for another row, or with another key', () => {
    const blob = seal(key, row, 'value');
    for (let i = 0; i < blob.length; i += 1) {
      const changed = Buffer.from(blob);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(unseal(key, row, changed).ok).toBe(false);
      expect(unseal(key, row, blob.subarray(0, i)).ok).toBe(false);
    }
    expect(unseal(key, { ...row, name: 'API_KEY2' }, blob).ok).toBe(false);
    expect(unseal(key, { ...row, projectId: other }, blob).ok).toBe(false);
    expect(unseal(new Uint8Array(32).fill(2), row, blob).ok).toBe(false);
  });
});

describe('secrets', () => {
  it('are revealed to the core: those of the project first, then those for all', async () => {
    const { secrets } = await openSecrets();
    await secrets.set({ name: 'API_KEY', value: 'for all' }, operator);
    await secrets.set({ name: 'API_KEY', projectId: project, value: 'for one' }, operator);
    expect(secrets.reveal('API_KEY', project)).toBe('for one');
    expect(secrets.reveal('API_KEY', other)).toBe('for all');
    expect(secrets.reveal('API_KEY', SYSTEM_PROJECT_ID)).toBe('for all');
    expect(secrets.reveal('NONE', project)).toBeUndefined();
    await secrets.remove({ name: 'API_KEY', projectId: project }, operator);
    expect(secrets.reveal('API_KEY', project)).toBe('for all');
  });

  it('survive a restart, are replaced in place, and listed by name only', async () => {
    const first = await openSecrets();
    await first.secrets.set({ name: 'B', value: 'one' }, operator);
    await first.secrets.set({ name: 'A', value: 'two' }, operator);
    now += 10;
    expect(await first.secrets.set({ name: 'B', value: 'three' }, operator)).toMatchObject({
      createdAt: now - 10,
      updatedAt: now,
    });
    const second = await openSecrets();
    expect(second.problem).toBeUndefined();
    expect(second.secrets.reveal('B', project)).toBe('three');
    expect((await second.secrets.list()).map(({ name }) => name)).toEqual(['A', 'B']);
    expect(await second.secrets.remove({ name: 'B' }, operator)).toBe(true);
    expect(await second.secrets.remove({ name: 'B' }, operator)).toBe(false);
    expect(events.map((event) => [event.kind, event.subject, event.data])).toEqual([
      ['secret.set', 'B', { isNew: true }],
      ['secret.set', 'A', { isNew: true }],
      ['secret.set', 'B', { isNew: false }],
      ['secret.removed', 'B', {}],
    ]);
  });

  it('lie nowhere on the disk in plain text, and in no event', async () => {
    const { secrets } = await openSecrets();
    const value = 'correct-horse-battery-staple';
    await secrets.set({ name: 'API_KEY', value }, operator);
    expect(JSON.stringify([events, await secrets.list()])).not.toContain(value);
    await test.close();
    const files = ['quarterdeck.db', 'quarterdeck.db-wal', 'audit-head', 'secrets/key'].map((name) => join(test.dir, name));
    for (const file of files.filter((path) => existsSync(path))) expect(readFileSync(file).includes(value)).toBe(false);
  });

  it('are refused for a project that does not exist, and beyond their number', async () => {
    const { secrets } = await openSecrets();
    await expect(
      secrets.set({ name: 'A', projectId: ProjectId.parse(mintId('prj')), value: 'x' }, operator),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await Promise.all(Array.from({ length: MAX_SECRETS }, (_, i) => secrets.set({ name: `S${i}`, value: 'x' }, operator)));
    await expect(secrets.set({ name: 'ONE_MORE', value: 'x' }, operator)).rejects.toMatchObject({ code: 'CONFLICT' });
    await secrets.set({ name: 'S0', value: 'y' }, operator);
    expect(await secrets.list()).toHaveLength(MAX_SECRETS);
  });

  it('do not open when their rows were swapped or changed', async () => {
    const { secrets } = await openSecrets();
    await secrets.set({ name: 'API_KEY', value: 'for all' }, operator);
    await secrets.set({ name: 'API_KEY', projectId: project, value: 'for one' }, operator);
    test.store.peek((db) =>
      db
        .prepare('UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE project_id = ?) WHERE project_id = ?')
        .run(SYSTEM_PROJECT_ID, project),
    );
    expect(() => secrets.reveal('API_KEY', project)).toThrow(/changed outside/);
    expect(secrets.reveal('API_KEY', other)).toBe('for all');
  });

  it('with a wrong key are neither opened nor added to, can be cleared away, and then start anew', async () => {
    const first = await openSecrets();
    await first.secrets.set({ name: 'A', value: 'x' }, operator);
    rmSync(join(folder(), 'key'));
    const { secrets, problem } = await openSecrets();
    expect(problem).toContain('another key');
    expect(() => secrets.reveal('A', project)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE', retryable: false }));
    await expect(secrets.set({ name: 'B', value: 'y' }, operator)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: problem,
    });
    expect((await secrets.list()).map(({ name }) => name)).toEqual(['A']);
    expect(await secrets.remove({ name: 'A' }, operator)).toBe(true);
    await secrets.set({ name: 'B', value: 'y' }, operator);
    expect(secrets.reveal('B', project)).toBe('y');
  });

  it('open with the passphrase they were stored with, and no other', async () => {
    const { secrets } = await openSecrets(passphraseSource(folder(), 'an owl in the rain'));
    await secrets.set({ name: 'A', value: 'x' }, operator);
    expect((await openSecrets(passphraseSource(folder(), 'an owl in the rain'))).secrets.reveal('A', project)).toBe('x');
    const wrong = await openSecrets(passphraseSource(folder(), 'an owl in the snow'));
    expect(wrong.problem).toContain('QUARTERDECK_PASSPHRASE');
    expect((await openSecrets()).problem).toContain('key file');
    await expect(openSecrets(passphraseSource(folder(), 'short'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('take a key from elsewhere, and refuse one of the wrong length', async () => {
    const platform = (bytes: number): KeySource => ({
      name: 'the keychain',
      load: () => Promise.resolve(new Uint8Array(bytes).fill(9)),
    });
    const { secrets } = await openSecrets(platform(32));
    await secrets.set({ name: 'A', value: 'x' }, operator);
    expect(secrets.reveal('A', project)).toBe('x');
    await expect(openSecrets(platform(16))).rejects.toMatchObject({ code: 'INTERNAL' });
    secrets.dispose();
    expect(() => secrets.reveal('A', project)).toThrow(/not loaded/);
  });

  it('are handled without ever being returned', async () => {
    const { secrets } = await openSecrets();
    const handlers = secretsHandlers(secrets);
    const call = { caller: operator, signal: new AbortController().signal };
    const answers = [
      await handlers.set({ name: 'A', value: 'hunter2' }, call),
      await handlers.list({}, call),
      await handlers.remove({ name: 'A' }, call),
      await handlers.remove({ name: 'A' }, call),
    ];
    expect(answers.slice(2)).toEqual([
      { name: 'A', isRemoved: true },
      { name: 'A', isRemoved: false },
    ]);
    expect(JSON.stringify(answers)).not.toContain('hunter2');
  });
});

describe('key files', () => {
  it('are made once, 32 bytes, for the operator alone; a damaged one is refused and kept', async () => {
    const key = loadAuditKey(folder());
    expect(key).toHaveLength(32);
    expect(loadAuditKey(folder())).toEqual(key);
    const file = join(folder(), 'audit.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    chmodSync(file, 0o640);
    const told: string[] = [];
    loadAuditKey(folder(), (message) => told.push(message));
    expect(told).toHaveLength(1);
    writeFileSync(file, 'short');
    expect(() => loadAuditKey(folder())).toThrow(/has 5 bytes, not 32/);
    expect(readFileSync(file, 'utf8')).toBe('short');
  });

  it('bind the journal: another audit key does not verify it', async () => {
    const { secrets } = await openSecrets();
    await secrets.set({ name: 'A', value: 'x' }, operator);
    const read = (after: number, limit: number) => test.store.read('journal.raw', { after, limit });
    const headFile = join(test.dir, 'audit-head');
    expect((await verifyJournal(test.auditKey, readHeadFile(headFile, test.auditKey), read)).isIntact).toBe(true);
    const wrong = loadAuditKey(folder());
    expect((await verifyJournal(wrong, readHeadFile(headFile, wrong), read)).faults.map(({ kind }) => kind)).toEqual([
      'changed',
      'head',
    ]);
  });
});
