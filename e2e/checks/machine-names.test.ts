import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './sources.ts';

/** Folders that are made here or fetched, and never committed. */
const NOT_OURS = new Set(['.git', 'node_modules', 'out', 'release', 'test-results', 'playwright-report', 'coverage']);

/** Files that are read as text. */
const TEXT =
  /\.(?:ts|tsx|mjs|cjs|js|json|jsonc|md|yml|yaml|html|css|sh|txt|toml|conf)$|(?:^|\/)(?:run|Dockerfile|LICENSE|\.[a-z]+)$/;

function ownTextFiles(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : ownTextFiles(path);
    return entry.isFile() && TEXT.test(path) ? [path] : [];
  });
}

/** The host of the registry this machine installs from, where it is not the public one. npm tells its scripts. */
function privateRegistryHost(): string[] {
  const registry = process.env['npm_config_registry'];
  if (registry === undefined || !URL.canParse(registry)) return [];
  const { host } = new URL(registry);
  return host === 'registry.npmjs.org' ? [] : [host];
}

describe('the checkout', () => {
  it('names no folder and no registry of the machine it was written on', () => {
    // Written in two parts, so that this file does not find itself.
    const folders = new RegExp(`(?<![\\w.$}-])/${'work'}/|/tmp/${'qd'}/`);
    const hosts = privateRegistryHost();
    const found = ownTextFiles().flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          folders.test(line) || hosts.some((host) => line.includes(host)) ? [`${relative(ROOT, path)}:${index + 1}`] : [],
        ),
    );
    expect(found).toEqual([]);
  });

  it('has a lockfile that leaves the registry to the machine', () => {
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toContain('"resolved":');
  });
});
