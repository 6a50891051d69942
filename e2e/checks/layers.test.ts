import { describe, expect, it } from 'vitest';
import { breachesOf, MAX_LINES } from './layers.ts';
import { readSource, readSources } from './sources.ts';

const breaches = (path: string, text: string): string[] => breachesOf(readSource(path, text));

describe('the layers', () => {
  it('hold in every source, type imports included', () => {
    const sources = readSources();
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.flatMap(breachesOf)).toEqual([]);
  });
});

describe('the check itself', () => {
  it.each([
    ['shared imports a builtin', 'src-shared/a/model.ts', "import { join } from 'node:path';"],
    ['shared imports a library', 'src-shared/a/model.ts', "import type { WebSocket } from 'ws';"],
    ['shared imports the core', 'src-shared/a/model.ts', "import type { X } from '#core/a/x.ts';"],
    ['core imports electron by type', 'src-main/core/app.ts', "import type { App } from 'electron';"],
    ['core imports electron in a type', 'src-main/core/app.ts', "type App = import('electron').App;"],
    ['core imports electron later', 'src-main/core/app.ts', "const e = await import('electron');"],
    ['core imports a host', 'src-main/core/app.ts', "export { start } from '#hosts/headless/main.ts';"],
    ['core imports a guest', 'src-main/core/app.ts', "import '#guests/worker/main.ts';"],
    ['core opens the database outside the store', 'src-main/core/messages/x.ts', "import Database from 'better-sqlite3';"],
    ['a guest imports the core', 'src-main/guests/worker/main.ts', "import { x } from '#core/x.ts';"],
    ['what guests share imports a guest', 'src-main/guests/common/x.ts', "import { x } from '#guests/relay/x.ts';"],
    ['a guest imports another', 'src-main/guests/worker/main.ts', "import { x } from '#guests/relay/x.ts';"],
    ['headless imports the electron host', 'src-main/hosts/headless/main.ts', "import '#hosts/electron/main.ts';"],
    ['headless requires electron', 'src-main/hosts/headless/main.ts', "const e = require('electron');"],
    ['a feature imports a sibling', 'src-renderer/features/agents/a.tsx', "import { b } from '#renderer/features/tasks/b.tsx';"],
    ['the window imports Node', 'src-renderer/main.tsx', "import fs from 'node:fs';"],
    ['the window imports the core', 'src-renderer/main.tsx', "import { x } from '../src-main/core/x.ts';"],
    ['a long way up', 'src-main/core/a/b/c.ts', "import { x } from '../../x.ts';"],
    ['a builtin without node:', 'src-main/core/a.ts', "import fs from 'fs';"],
    ['a source imports test support', 'src-main/core/a.ts', "import { effort } from '#e2e/support/effort.ts';"],
    ['a source imports a suite of tests', 'src-main/core/a.ts', "import { conformance } from '#core/runtimes/conformance.ts';"],
    ['a barrel', 'src-main/core/index.ts', ''],
    ['a long file', 'src-main/core/a.ts', '\n'.repeat(MAX_LINES + 1)],
    ['a stray tree', 'src-other/a.ts', ''],
  ])('finds: %s', (_what, path, text) => {
    expect(breaches(path, text)).toHaveLength(1);
  });

  it.each([
    [
      'src-shared/a/model.ts',
      "import * as z from 'zod'; import { oc } from '@orpc/contract'; import { id } from '#shared/kernel/ids.ts';",
    ],
    ['src-shared/a/model.test.ts', "import { it } from 'vitest'; import fc from 'fast-check'; import '#e2e/support/effort.ts';"],
    ['src-main/core/runtimes/conformance.ts', "import { it } from 'vitest'; import '#e2e/support/effort.ts';"],
    ['src-main/core/store/open.ts', "import Database from 'better-sqlite3'; import { x } from '../app.ts';"],
    ['src-main/hosts/electron/main.ts', "import { app } from 'electron'; import { x } from '#core/app.ts';"],
    [
      'src-renderer/features/agents/a.tsx',
      "import { Button } from '#renderer/ui/button.tsx'; import './b.tsx'; const x = <b />;",
    ],
    ['src-main/core/a.ts', '\n'.repeat(MAX_LINES)],
  ])('lets pass: %s', (path, text) => {
    expect(breaches(path, text)).toEqual([]);
  });
});
