import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './sources.ts';

const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })];

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

describe('the documents', () => {
  it.each(pages)('%s leads to what is there', (page) => {
    const text = textOf(page);
    const links = matches(text, /\]\(([^)#\s]+)(?:#[^)]*)?\)/g).filter((link) => !/^[a-z]+:/.test(link));
    const named = matches(text, /`((?:src-main|src-shared|src-renderer|e2e|assets|scripts|bin|docs)\/[^`\s*<>]+)`/g);
    const missing = [
      ...links.filter((link) => !existsSync(join(ROOT, dirname(page), link))),
      ...named.filter((path) => !existsSync(join(ROOT, path))),
    ];
    expect(missing).toEqual([]);
  });

  it('name every tree of the product in the picture of the architecture', () => {
    const text = textOf('docs/architecture.md');
    const trees = globSync(['{src-*,e2e,assets,bin,scripts}/', 'src-main/{core,guests,hosts}/'], { cwd: ROOT });
    expect(trees.length).toBeGreaterThan(8);
    expect(trees.filter((tree) => !text.includes(`\`${tree.replace(/\/?$/, '/')}`) && tree !== 'src-main')).toEqual([]);
  });
});
