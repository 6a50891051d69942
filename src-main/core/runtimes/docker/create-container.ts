/** Makes the container of an agent. */
import type { Container } from 'dockerode';
import type Docker from 'dockerode';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { inspectContainer } from './container-inspect.ts';
import type { containerOptions } from './container-options.ts';
import { LABEL } from './container-options.ts';
import { askEngine } from './engine-deadline.ts';
import { engineFault, statusOf } from './engine-faults.ts';
import { removeContainer } from './remove-container.ts';

/** What is to be made, and whose. */
export interface NewContainer {
  readonly agentId: AgentId;
  readonly instanceId: string;
  readonly options: ReturnType<typeof containerOptions>;
}

/** How often room is made for a name. */
const TRIES = 2;

/**
 * Makes it. One of ours that has ended, and was never removed, makes room; anybody else's does not. Fails with UNAVAILABLE.
 * When no answer comes in time the engine may still make it later: nothing runs in it, and it makes room for the next start.
 */
export async function createAgentContainer(docker: Docker, o: NewContainer): Promise<Container> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askEngine('make the container', (abortSignal) => docker.createContainer({ ...o.options, abortSignal }));
    } catch (error) {
      if (statusOf(error) !== 409 || attempt > TRIES)
        throw engineFault(`Agent ${o.agentId} cannot be started in a container`, error);
      await makeRoom(docker, o);
    }
  }
}

async function makeRoom(docker: Docker, { agentId, instanceId, options: { name } }: NewContainer): Promise<void> {
  const taken = docker.getContainer(name);
  const info = await inspectContainer(taken).catch((error: unknown) => {
    if (statusOf(error) === 404) return undefined;
    throw engineFault(`Agent ${agentId} cannot be started in a container`, error);
  });
  if (info === undefined) return;
  const labels = info.Config.Labels;
  const isOurs = labels[LABEL.instance] === instanceId && labels[LABEL.agent] === agentId;
  const refuse = (why: string): AppError =>
    new AppError('UNAVAILABLE', `Agent ${agentId} cannot be started: ${why}`, {
      retryable: false,
      data: { cause: 'name', container: name },
    });
  if (!isOurs)
    throw refuse(
      `there is a container named ${name} that is not Quarterdeck's. Rename or remove it: docker rename ${name} other-name`,
    );
  if (info.State.Running)
    throw refuse(`it still runs in container ${name}. Try again: once Quarterdeck has found it there, it is ended.`);
  await removeContainer(taken).catch((error: unknown) => {
    throw engineFault(`Agent ${agentId} cannot be started in a container`, error);
  });
}
