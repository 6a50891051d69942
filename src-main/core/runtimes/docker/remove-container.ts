/** Removes a container for good, whatever it is at. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import { askEngine } from './engine-deadline.ts';
import { statusOf, wordsOf } from './engine-faults.ts';

const TRIES = 5;
const WAIT_MS = 200;

/**
 * Ends and removes it, with its own volumes. One that is gone, or is being removed by somebody else, is no failure; one that
 * just ends keeps some engines (Podman) from it for a moment. Rejects as dockerode does, or when no answer comes in time.
 */
export async function removeContainer(container: Container, timeoutMs?: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await askEngine('remove a container', (abortSignal) => container.remove({ force: true, v: true, abortSignal }), timeoutMs);
      return;
    } catch (error) {
      if (statusOf(error) === 404 || (statusOf(error) === 409 && /already in progress/.test(wordsOf(error)))) return;
      if (attempt === TRIES || !/state improper|in progress|is running/.test(wordsOf(error))) throw error;
      await sleep(WAIT_MS);
    }
  }
}
