/** Agents in containers of a Docker engine. */
import Docker from 'dockerode';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { RuntimeAvailability } from '#shared/runtimes/model.ts';
import type { LaunchSpec, Run, Runtime } from '../runtime.ts';

/** Agents in containers. */
export class DockerRuntime implements Runtime {
  readonly kind = 'docker';
  readonly isAdoptable = true;
  readonly #docker = new Docker();

  async probe(): Promise<RuntimeAvailability> {
    try {
      const version = await this.#docker.version();
      return { kind: 'docker', isAvailable: true, version: version.Version };
    } catch (error) {
      return { kind: 'docker', isAvailable: false, problem: messageOf(error) };
    }
  }

  launch(spec: LaunchSpec): Promise<Run> {
    return Promise.reject(new AppError('UNAVAILABLE', `Agent ${spec.agentId} cannot be started in a container yet.`));
  }

  adopt(_known: ReadonlySet<AgentId>): Promise<readonly Run[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
