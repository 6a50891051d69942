import { describe, expect, it } from 'vitest';
import { shellText } from './shell-text.ts';

describe('a command for reading', () => {
  it('is quoted where a shell would take it apart', () => {
    expect(shellText(['bash', '-c', 'echo "$HOME"; exit 3', '', "it's", 'a=b'])).toBe(
      String.raw`bash -c 'echo "$HOME"; exit 3' '' 'it'\''s' a=b`,
    );
  });
});
