import { describe, expect, it } from 'vitest';
import { detailParts } from './detail-parts.ts';

const shown = (detail: string, version: string | null, path: string | null) =>
  detailParts({ detail, version, path }).map(({ text, isCode }) => (isCode ? `[${text}]` : text));

describe('a line of the checklist', () => {
  it('has version and path in the code face, wherever they stand', () => {
    expect(shown('3.4 · /usr/bin/tmux', '3.4', '/usr/bin/tmux')).toEqual(['[3.4]', ' · ', '[/usr/bin/tmux]']);
    expect(shown('1 folder, of the login shell /bin/zsh', null, '/bin/zsh')).toEqual([
      '1 folder, of the login shell ',
      '[/bin/zsh]',
    ]);
  });

  it('does not cut a path for a version that stands in it', () => {
    expect(shown('/opt/24.1/bin/node', '24.1', '/opt/24.1/bin/node')).toEqual(['[/opt/24.1/bin/node]']);
  });

  it('is whole where neither is known or shown', () => {
    expect(shown('Optional, not found', null, null)).toEqual(['Optional, not found']);
    expect(shown('answers', '28.3', '')).toEqual(['answers']);
  });
});
