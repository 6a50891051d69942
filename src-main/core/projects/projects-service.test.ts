import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { ProjectsService } from './projects-service.ts';

/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;

let test: TestStore;
let projects: ProjectsService;
let clock: number;

beforeEach(() => {
  clock = 1_000_000;
  test = openTestStore();
  projects = new ProjectsService({ store: test.store, now: () => clock });
  projects.open();
});
afterEach(() => test.dispose());

function folder(...names: string[]): string {
  const path = join(realpathSync(test.dir), ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

describe('opening a folder', () => {
  it('is the same project however the path is written', async () => {
    const real = folder('work', 'shop');
    symlinkSync(real, join(test.dir, 'link'));
    symlinkSync(join(test.dir, 'work'), join(test.dir, 'other'));
    const first = await projects.openFolder(real, CORE);
    for (const path of [join(test.dir, 'link'), `${real}/`, join(real, '..', 'shop', '.'), join(test.dir, 'other', 'shop')]) {
      expect((await projects.openFolder(path, CORE)).id, path).toBe(first.id);
    }
    expect(first).toMatchObject({ folder: real, name: 'shop', isGitRepository: false });
    expect(projects.list()).toHaveLength(1);
  });

  it('is one project and one event, also when a hundred ask at once', async () => {
    const before = await projects.openFolder(folder('earlier'), CORE);
    const shop = folder('shop');
    const seq = test.journal.seq;
    const opened = await Promise.all(Array.from({ length: 100 }, () => projects.openFolder(shop, CORE)));
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    expect(opened[0]?.id).not.toBe(before.id);
    expect(test.journal.seq - seq).toBe(1);
  });

  it('writes again only after a while, when another was opened between, or when something changed', async () => {
    const shop = folder('shop');
    const changes = async (): Promise<boolean> => {
      const seq = test.journal.seq;
      await projects.openFolder(shop, CORE);
      return test.journal.seq > seq;
    };
    expect(await changes()).toBe(true);
    expect(await changes()).toBe(false);
    clock += 60_001;
    expect(await changes()).toBe(true);
    await projects.openFolder(folder('other'), CORE);
    expect(await changes()).toBe(true);
    mkdirSync(join(shop, '.git'));
    expect(await changes()).toBe(true);
    expect(projects.list()[0]).toMatchObject({ isGitRepository: true });
    await projects.openFolder(shop, CORE, 'My shop');
    expect(await changes()).toBe(false);
    expect(projects.list()[0]).toMatchObject({ name: 'My shop' });
  });

  it('keeps what it knows for the next core, and the order in which projects were opened', async () => {
    const [a, b, c] = [folder('a'), folder('b'), folder('c')];
    for (const path of [a, b, c, a]) await projects.openFolder(path, CORE);
    const again = new ProjectsService({ store: test.store });
    again.open();
    expect(again.list()).toEqual(projects.list());
    expect(again.list().map((project) => project.folder)).toEqual([a, c, b]);
    expect(again.latest()?.folder).toBe(a);
  });

  it('says what is wrong with a folder that cannot be opened', async () => {
    writeFileSync(join(test.dir, 'file'), '');
    symlinkSync(join(test.dir, 'nowhere'), join(test.dir, 'dangling'));
    await expect(projects.openFolder('shop', CORE)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: containing('absolute'),
    });
    for (const path of [
      '/no/such/folder',
      join(test.dir, 'file'),
      join(test.dir, 'dangling'),
      '/tmp/nul\0byte',
      `/${'x'.repeat(5_000)}`,
    ]) {
      await expect(projects.openFolder(path, CORE), path.slice(0, 40)).rejects.toMatchObject({
        code: 'NOT_FOUND',
        data: { field: 'folder' },
      });
    }
  });
});

describe('the project that a command means', () => {
  const from = (path: string | undefined): Caller => (path === undefined ? CORE : { ...CORE, folder: path });

  it('is the stated one, else the stated folder, else where the caller stands, else the one opened last', async () => {
    const a = await projects.openFolder(folder('a'), CORE);
    const b = await projects.openFolder(folder('b'), CORE);
    const c = folder('c');
    expect((await projects.resolve({ projectId: a.id, projectFolder: c }, from(b.folder))).id).toBe(a.id);
    expect((await projects.resolve({}, from(undefined))).id).toBe(b.id);
    expect((await projects.resolve({ projectFolder: a.folder }, from(b.folder))).id).toBe(a.id);
    expect((await projects.resolve({}, from(c))).folder).toBe(c);
    expect((await projects.resolve({}, from(undefined))).folder).toBe(c);
  });

  it('is never guessed when there is none', async () => {
    await expect(projects.resolve({}, CORE)).rejects.toMatchObject({ code: 'BAD_REQUEST', data: { field: 'projectFolder' } });
    const unknown = ProjectId.parse(mintId('prj'));
    await expect(projects.resolve({ projectId: unknown }, CORE)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: containing(unknown),
    });
  });
});
