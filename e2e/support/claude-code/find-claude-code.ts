/** Where the real Claude Code CLI is, if it is anywhere; the tests install nothing themselves. */

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The version that the tests are written against; CI installs exactly this one from npm. */
export const CLAUDE_CODE_VERSION = '2.1.329';

/** Said when the CLI is missing. */
export const CLAUDE_CODE_MISSING =
  `Claude Code ${CLAUDE_CODE_VERSION} was not found: set QD_CLAUDE_BIN to its executable, or run ` +
  `npm install --prefix "${cacheFolder()}" @anthropic-ai/claude-code@${CLAUDE_CODE_VERSION}`;

/** Path of the executable: QD_CLAUDE_BIN if set, else the one in the CI cache folder, else undefined. */
export function findClaudeCode(): string | undefined {
  const named = process.env['QD_CLAUDE_BIN'];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`QD_CLAUDE_BIN names ${named}, which does not exist`);
    return named;
  }
  const cached = join(cacheFolder(), 'node_modules', '.bin', 'claude');
  return existsSync(cached) ? cached : undefined;
}

/** True when everything that tests can use has to be there (CI): then nothing may be left out. */
export function isClaudeCodeRequired(): boolean {
  return process.env['QD_REQUIRE_ALL'] === '1';
}

function cacheFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'];
  return join(
    cache === undefined || cache === '' ? join(homedir(), '.cache') : cache,
    'quarterdeck-ci',
    `claude-${CLAUDE_CODE_VERSION}`,
  );
}
