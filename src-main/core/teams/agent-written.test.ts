import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import type { AgentFolder } from './agent-written.ts';
import { agentBehind } from './agent-written.ts';

let dir: string;
let folders: AgentFolder[];
const at = (...parts: string[]): string => join(dir, ...parts);

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'qd-written-')));
  for (const folder of ['box/deep', 'boxed', 'mine/deep']) mkdirSync(at(folder), { recursive: true });
  for (const file of ['box/deep/team.yaml', 'boxed/team.yaml', 'mine/deep/team.yaml']) writeFileSync(at(file), 'name: x');
  folders = [{ agentId: AgentId.parse('worker'), boundary: 'container', folder: at('box') }];
});
afterEach(() => rmSync(dir, { recursive: true }));

const isFound = async (file: string): Promise<boolean> => (await agentBehind(file, folders))?.agentId === 'worker';

it('finds the agent in whose folder a file lies, and no other', async () => {
  expect(await isFound(at('box/deep/team.yaml'))).toBe(true);
  expect(await isFound(at('box/not-there-yet.yaml'))).toBe(true);
  expect(await isFound(at('mine/../box/deep/team.yaml'))).toBe(true);
  // A name that begins alike is another folder.
  expect(await isFound(at('boxed/team.yaml'))).toBe(false);
  expect(await isFound(at('mine/deep/team.yaml'))).toBe(false);
});

it.each([
  ['a link of the agent’s to a file elsewhere', 'box/link.yaml', '../mine/deep/team.yaml', 'box/link.yaml', true],
  ['a link of the operator’s into the folder', 'mine/link.yaml', '../box/deep/team.yaml', 'mine/link.yaml', true],
  ['an absolute link into the folder', 'mine/abs.yaml', '$/box/deep/team.yaml', 'mine/abs.yaml', true],
  ['a folder’s link into the folder', 'mine/in', '../box', 'mine/in/deep/team.yaml', true],
  ['a link that stays elsewhere', 'mine/stay.yaml', 'deep/team.yaml', 'mine/stay.yaml', false],
])('looks at every place on the way: %s', async (_what, link, target, file, expected) => {
  symlinkSync(target.replace('$', dir), at(link));
  expect(await isFound(at(file))).toBe(expected);
});

it('looks at a link of the agent’s in the middle of a way that begins and ends elsewhere', async () => {
  symlinkSync('../box/out', at('mine/through'));
  symlinkSync('../mine/deep', at('box/out'));
  expect(await isFound(at('mine/through/team.yaml'))).toBe(true);
});

it('comes to an end where links do not', async () => {
  symlinkSync('two', at('mine/one'));
  symlinkSync('one', at('mine/two'));
  expect(await isFound(at('mine/one/team.yaml'))).toBe(false);
});

it('knows a folder by whatever name it was given', async () => {
  symlinkSync('box', at('alias'));
  folders = folders.map((one) => ({ ...one, folder: at('alias') }));
  expect(await isFound(at('box/deep/team.yaml'))).toBe(true);
});
