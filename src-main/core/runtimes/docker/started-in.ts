/** Whether an agent was ever started in a container that is found. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import type { InspectedContainer } from './container-inspect.ts';
import { inspectContainer } from './container-inspect.ts';
import { readBoxLog } from './container-log.ts';
import { findAgentProcess } from './find-agent-process.ts';

/** How long a box found without a word may take to say that it has started, in milliseconds; one that nobody lets go ends itself. */
const WORD_MS = 2000;
const LOOK_MS = 50;

/** The pid inside of the agent that was started; undefined when none was, and the box has ended or says nothing for long. */
export async function startedIn(
  container: Container,
  first: InspectedContainer,
  runId: string,
): Promise<{ pid: number; info: InspectedContainer } | undefined> {
  const deadline = performance.now() + WORD_MS;
  let info = first;
  for (;;) {
    const isOver = !info.State.Running || info.State.Paused || performance.now() > deadline;
    const { pid } = await readBoxLog(container);
    if (pid !== undefined) return { pid, info: await inspectContainer(container) };
    if (isOver) {
      // The agent may have written so much into the log that the word went out at its other end.
      const seen = info.State.Running ? await findAgentProcess(info.State.Pid, runId) : undefined;
      return seen === undefined ? undefined : { pid: seen, info };
    }
    await sleep(LOOK_MS);
    info = await inspectContainer(container);
  }
}
