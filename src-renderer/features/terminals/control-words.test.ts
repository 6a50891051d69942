import { describe, expect, it } from 'vitest';
import { Door } from '#shared/auth/model.ts';
import { holderWords, isSole, isTakenAway, windowTitle } from './control-words.ts';

const you = { name: 'operator', door: 'web', isYou: true, since: 1 } as const;
const other = { ...you, isYou: false };

describe('who has the keyboard', () => {
  it('is the operator by the place, and anybody else by name', () => {
    expect(holderWords(other)).toBe('Another browser window');
    expect(holderWords({ name: 'night-watch', door: 'mcp' })).toBe('night-watch, by MCP,');
    const places = Door.options.map((door) => holderWords({ name: 'operator', door }));
    expect(new Set(places).size).toBe(places.length);
  });

  it('is taken away only from who had it, by somebody', () => {
    expect(isTakenAway({ holder: you, viewers: 2 }, { holder: other, viewers: 2 })).toBe(true);
    expect(isTakenAway({ holder: you, viewers: 2 }, { holder: null, viewers: 2 })).toBe(false);
    expect(isTakenAway({ holder: null, viewers: 2 }, { holder: other, viewers: 2 })).toBe(false);
    expect(isTakenAway(undefined, { holder: other, viewers: 2 })).toBe(false);
  });
});

describe('the sole viewer', () => {
  it('looks alone, and nobody else has the keyboard', () => {
    expect(isSole({ holder: null, viewers: 1 })).toBe(true);
    expect(isSole({ holder: you, viewers: 1 })).toBe(true);
    expect(isSole({ holder: other, viewers: 1 })).toBe(false);
    expect(isSole({ holder: null, viewers: 2 })).toBe(false);
  });
});

describe('a window', () => {
  it('has a name in words', () => {
    expect(['main', 'monitor', 'queue', 'zsh'].map(windowTitle)).toEqual(['Terminal', 'Monitor', 'Queue', 'zsh']);
  });
});
