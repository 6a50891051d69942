import { beforeEach, describe, expect, it } from 'vitest';
import { listenToHand } from './hand.ts';

/** A hand at a worker's keyboard; notes what comes of it. */
class Hand {
  now = 0;
  isEnded = false;
  isBusy = true;
  isHeld = false;
  interrupt: () => void = () => undefined;
  press: (text: string) => void = () => undefined;

  constructor(isTerminal = true) {
    listenToHand({
      worker: this,
      view: { line: () => undefined },
      keyboard: {
        isTerminal,
        onInterrupt: (listener) => {
          this.interrupt = listener;
        },
        onText: (listener) => {
          this.press = listener;
        },
      },
      end: () => {
        this.isEnded = true;
      },
      now: () => this.now,
    });
  }

  hold(): boolean {
    this.isHeld = this.isBusy;
    return this.isBusy;
  }

  goOn(): void {
    this.isHeld = false;
  }
}

describe('Ctrl C in the terminal of a worker', () => {
  let hand: Hand;
  beforeEach(() => {
    hand = new Hand();
  });

  it('interrupts what it does, and Enter lets it go on', () => {
    hand.interrupt();
    expect(hand).toMatchObject({ isHeld: true, isEnded: false });
    hand.press('x');
    expect(hand.isHeld).toBe(true);
    hand.press('\n');
    expect(hand).toMatchObject({ isHeld: false, isEnded: false });
  });

  it('ends it the second time', () => {
    hand.interrupt();
    hand.interrupt();
    expect(hand.isEnded).toBe(true);
  });

  it('asks first when there is nothing to interrupt', () => {
    hand.isBusy = false;
    hand.interrupt();
    expect(hand.isEnded).toBe(false);
    hand.now = 2_999;
    hand.interrupt();
    expect(hand.isEnded).toBe(true);
  });

  it('asks again when the second one comes late', () => {
    hand.isBusy = false;
    hand.interrupt();
    hand.now = 3_000;
    hand.interrupt();
    expect(hand.isEnded).toBe(false);
  });

  it('ends it at once where there is no terminal', () => {
    const piped = new Hand(false);
    piped.interrupt();
    expect(piped).toMatchObject({ isEnded: true, isHeld: false });
  });
});
