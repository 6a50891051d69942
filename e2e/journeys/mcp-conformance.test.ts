/**
 * The MCP conformance suite over the product's own HTTP door, with the fixture that the suite calls (not the product's tools):
 * everything that the revisions 2025-11-25 and 2026-07-28 require.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { effort } from '#e2e/support/effort.ts';
import type { Fixture } from '#e2e/support/mcp-conformance/serve.ts';
import { serveFixture } from '#e2e/support/mcp-conformance/serve.ts';

/** The whole suite of a revision takes some seconds on a quiet machine. */
const LIMIT_MS = 300_000;

const fixtures: Fixture[] = [];
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) {
    await fixture.close();
    expect(fixture.bugs).toEqual([]);
  }
});

/** The suite's program. */
function suite(): string {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
  const { bin } = z.object({ bin: z.record(z.string(), z.string()) }).parse(JSON.parse(readFileSync(manifest, 'utf8')));
  return join(dirname(manifest), Object.values(bin)[0] ?? '');
}

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [suite(), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

describe('the MCP conformance suite', () => {
  it.each(['2025-11-25', '2026-07-28'])(
    'finds that the HTTP door does all that %s requires',
    async (revision) => {
      const fixture = await serveFixture();
      fixtures.push(fixture);
      for (let round = 1; round <= effort.conformanceRounds; round += 1) {
        const { code, output } = await run(['server', '--url', fixture.url, '--requirements', revision, '--timeout', '60000']);
        expect(code, output).toBe(0);
        // It did run: no verdict without scenarios.
        expect(output).toContain('tools-call-simple-text');
      }
    },
    LIMIT_MS,
  );
});
