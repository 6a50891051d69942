import { describe, expect, it } from 'vitest';
import { configOf, PLACES, placeOf, placeState } from './runtime-words.ts';
import type { Runtimes } from './use-images.ts';

const known: Runtimes = {
  runtimes: [
    { kind: 'docker', isAvailable: false, problem: 'No daemon answers.', remedy: 'sudo systemctl start docker' },
    { kind: 'tmux', isAvailable: true, version: '3.3a', notes: ['a note'] },
  ],
  bubblewrap: { isAvailable: false, version: null, problem: 'bubblewrap is not installed.' },
};

describe('where an agent runs', () => {
  it.each(PLACES)('%s is found again by its configuration', (place) => {
    const { runtime, sandbox } = configOf(place);
    expect(placeOf(runtime, sandbox)).toBe(place);
  });

  it('is tmux where nothing is stated', () => expect(placeOf('', '')).toBe('tmux'));

  it('says why it is not there, and what mends it', () => {
    expect(placeState('docker', known)).toMatchObject({
      isAvailable: false,
      problem: 'No daemon answers.',
      remedy: 'sudo systemctl start docker',
    });
    expect(placeState('tmux', known)).toMatchObject({ isAvailable: true, version: '3.3a', notes: ['a note'] });
    expect(placeState('tmux+bubblewrap', known)).toMatchObject({
      isAvailable: false,
      problem: 'bubblewrap is not installed.',
      remedy: 'sudo apt-get install bubblewrap',
    });
    // Without its runtime a sandbox around it is none either.
    expect(placeState('pty+bubblewrap', known)).toMatchObject({ isAvailable: false, problem: 'It was not found.' });
  });

  it('offers no installation where bubblewrap is there and does not work', () => {
    const broken = { ...known, bubblewrap: { isAvailable: false, version: '0.8.0', problem: 'It may make no namespace.' } };
    expect(placeState('tmux+bubblewrap', broken)).toMatchObject({ isAvailable: false, remedy: undefined });
  });
});
