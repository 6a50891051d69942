/** The part of a mocked engine that a launch speaks to: images, the kit's volume, a container and its life. */
import type { EngineScript } from './scripted-engine.ts';

/** Id of the container that the mock makes for an agent. */
export const SCRIPTED_ID = 'agent-container';
const CONTAINER = `/containers/${SCRIPTED_ID}`;

interface CreateBody {
  readonly Labels?: Readonly<Record<string, string>>;
}

/** What the engine says of the container: only what every engine says, and nothing of the kernel's. */
const INSPECTED = {
  Id: SCRIPTED_ID,
  Name: '/scripted',
  State: { Status: 'running', Running: true, Pid: 0, ExitCode: 0 },
  Config: {},
  HostConfig: {},
  NetworkSettings: {},
};

/** Answers with which a launch goes as far as the container's start. `key` is of the agent image (`quarterdeck-agent:<key>`). */
export function launchScript(key: string): EngineScript {
  const volume = `quarterdeck-kit-${key}`;
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return {
    // The stream of events stays open, and nothing happens.
    'GET /events': { status: 200, isOpen: true },
    [`GET /images/quarterdeck-agent:${key}/json`]: {
      status: 200,
      body: { Id: 'sha256:image', Architecture: arch, Os: 'linux', Config: {} },
    },
    'GET /containers/json': { status: 200, body: [] },
    'POST /volumes/create': { status: 201, body: { Name: volume } },
    [`GET /volumes/${volume}`]: { status: 200, body: { CreatedAt: 'now', Labels: { 'app.quarterdeck.kit': key } } },
    'POST /containers/create': ({ body }) => {
      const isKit = (body as CreateBody).Labels?.['app.quarterdeck.kit'] !== undefined;
      return Promise.resolve({ status: 201, body: { Id: isKit ? 'kit-container' : SCRIPTED_ID } });
    },
    'POST /containers/kit-container/start': { status: 204 },
    'POST /containers/kit-container/wait': { status: 200, body: { StatusCode: 0 } },
    'DELETE /containers/kit-container': { status: 204 },
    [`POST ${CONTAINER}/start`]: { status: 204 },
    [`GET ${CONTAINER}/json`]: { status: 200, body: INSPECTED },
    [`GET ${CONTAINER}/logs`]: { status: 200 },
    [`DELETE ${CONTAINER}`]: { status: 204 },
  };
}
