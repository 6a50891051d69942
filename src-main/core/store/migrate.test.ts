import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from './database.ts';
import { openDatabase } from './database.ts';
import type { Migration } from './migrate.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';

let dir: string;
let connection: Connection;
const backupFile = (version: number): string => join(dir, `backup-${version}.db`);

const next: Migration = {
  version: 9_000,
  name: 'shout',
  sql: `ALTER TABLE facts ADD COLUMN shouted TEXT; UPDATE facts SET shouted = upper(value);`,
};
const broken: Migration = {
  version: 9_010,
  name: 'broken',
  sql: 'CREATE TABLE half (x TEXT) STRICT; INSERT INTO nowhere VALUES (1);',
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-migrate-'));
  connection = openDatabase(join(dir, 'quarterdeck.db'));
});
afterEach(() => {
  connection.close();
  rmSync(dir, { recursive: true });
});

const newest = MIGRATIONS.at(-1)?.version ?? 0;
const schemaOf = (db: Connection): unknown[] => db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();

describe('the list of migrations', () => {
  it('is numbered in tens, rising', () => {
    const versions = MIGRATIONS.map(({ version }) => version);
    expect(versions).toEqual(versions.map((_, i) => (i + 1) * 10));
  });

  it('leads from nothing to the present schema, without a backup, and then has nothing to do', () => {
    expect(migrate(connection, MIGRATIONS, backupFile)).toEqual({ from: 0, to: newest, backup: undefined });
    expect(migrate(connection, MIGRATIONS, backupFile)).toEqual({ from: newest, to: newest, backup: undefined });
    expect(readdirSync(dir).filter((name) => name.startsWith('backup'))).toEqual([]);
  });

  it('makes strict tables in which every row names its project', () => {
    migrate(connection, MIGRATIONS, backupFile);
    const tables = connection
      .prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all() as { name: string; strict: number }[];
    expect(tables.length).toBeGreaterThan(5);
    for (const { name, strict } of tables) {
      expect([name, strict]).toEqual([name, 1]);
      const columns = (connection.prepare(`SELECT name FROM pragma_table_info('${name}')`).all() as { name: string }[]).map(
        (column) => column.name,
      );
      expect([name, columns.includes('project_id') || name === 'projects']).toEqual([name, true]);
    }
    expect(connection.prepare('SELECT * FROM pragma_foreign_key_check').all()).toEqual([]);
  });
});

describe('an upgrade', () => {
  function seed(): void {
    migrate(connection, MIGRATIONS, backupFile);
    connection.prepare('INSERT INTO facts (project_id, name, value) SELECT id, ?, ? FROM projects').run('greeting', 'hello');
  }

  it('keeps what is there, after a backup that can be opened', () => {
    seed();
    const before = schemaOf(connection);
    const report = migrate(connection, [...MIGRATIONS, next], backupFile);
    expect(report).toEqual({ from: newest, to: 9_000, backup: backupFile(newest) });
    expect(connection.prepare('SELECT name, value, shouted FROM facts').all()).toEqual([
      { name: 'greeting', value: 'hello', shouted: 'HELLO' },
    ]);
    const backup = openDatabase(backupFile(newest), { readOnly: true });
    expect(backup.pragma('user_version')).toBe(newest);
    expect(schemaOf(backup)).toEqual(before);
    expect(backup.prepare('SELECT value FROM facts').all()).toEqual([{ value: 'hello' }]);
    backup.close();
  });

  it('that fails leaves the last good schema, says which step and where the backup is, and can be tried again', () => {
    seed();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(() => migrate(connection, [...MIGRATIONS, { ...broken, version: 9_000 }], backupFile)).toThrow(
        expect.objectContaining({
          code: 'UNAVAILABLE',
          retryable: false,
          message: expect.stringMatching(/schema 9000 \(broken\).*nowhere.*still at schema \d+.*backup-/) as string,
        }),
      );
      expect(connection.pragma('user_version')).toBe(newest);
      expect(connection.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").all()).toEqual([]);
    }
    expect(() => migrate(connection, [...MIGRATIONS, next, broken], backupFile)).toThrow(/still at schema 9000/);
    expect(migrate(connection, [...MIGRATIONS, next], backupFile)).toEqual({ from: 9_000, to: 9_000, backup: undefined });
  });

  it('takes the place of a backup that was left half made', () => {
    seed();
    writeFileSync(`${backupFile(newest)}.partial`, 'torn');
    writeFileSync(backupFile(newest), 'of an earlier try');
    migrate(connection, [...MIGRATIONS, next], backupFile);
    openDatabase(backupFile(newest), { readOnly: true }).close();
    expect(existsSync(`${backupFile(newest)}.partial`)).toBe(false);
  });

  it('does not begin when the backup cannot be made', () => {
    seed();
    expect(() => migrate(connection, [...MIGRATIONS, next], () => join(dir, 'no', 'such', 'folder.db'))).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringContaining('Nothing was changed') as string }),
    );
    expect(connection.pragma('user_version')).toBe(newest);
  });

  it('from a newer version is refused, and the file is left as it is', () => {
    seed();
    migrate(connection, [...MIGRATIONS, next], backupFile);
    const before = schemaOf(connection);
    expect(() => migrate(connection, MIGRATIONS, backupFile)).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', retryable: false, data: { schema: 9_000, known: newest } }),
    );
    expect(schemaOf(connection)).toEqual(before);
  });
});

describe('opening a file', () => {
  it('that is no database says what to do, names the file, and leaves it', () => {
    const file = join(dir, 'junk.db');
    writeFileSync(file, 'this is not a database, but long enough to be taken for one '.repeat(100));
    expect(() => openDatabase(file)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE', retryable: false, data: { file } }));
    expect(() => openDatabase(file)).toThrow(/restore a backup/);
    expect(() => openDatabase(join(dir, 'none', 'x.db'))).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    expect(() => openDatabase(join(dir, 'none.db'), { readOnly: true })).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE' }),
    );
  });

  it('sets what durability rests on', () => {
    expect(['journal_mode', 'synchronous', 'foreign_keys'].map((name) => connection.pragma(name))).toEqual(['wal', 2, 1]);
  });
});
