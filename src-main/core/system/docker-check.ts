/** Docker: does an engine answer, on a socket or through the CLI, and how fast. */
import { request } from 'node:http';
import * as z from 'zod';
import type { SystemCheck } from '#shared/system/model.ts';
import { engineSockets } from '#core/runtimes/docker/engine.ts';
import { joinEngineGroup, restartEngine, startEngine } from '#core/runtimes/docker/engine-commands.ts';
import { isTooOld } from '#core/runtimes/docker/engine-remedy.ts';
import { DOCKER_PACKAGE, installCommand } from './install-command.ts';
import type { Probe } from './probe.ts';
import { ask, line, locate, problemOf, versionIn } from './probe.ts';

/** An engine's answer to `GET /version` is small; more than this is none. In characters. */
const MAX_CHARS = 64 * 1024;

const EngineVersion = z.object({ Version: z.string().max(60), ApiVersion: z.string().max(20).optional() });

/** An engine that answered. */
interface Engine {
  readonly version: string;
  /** Of its interface; undefined where it was not asked. */
  readonly apiVersion?: string | undefined;
  readonly tookMs: number;
}

/** What came of asking a socket: an answer, or the system's code for why there is none. */
type SocketAnswer = { readonly status: number; readonly text: string } | { readonly code: string };

/** Looks for Docker, and for the agent image where its name is given. Never rejects. */
export async function checkDocker(probe: Probe, agentImage?: string): Promise<SystemCheck> {
  const base = { id: 'docker', title: 'Docker', group: 'runtimes' as const, loginState: null, version: null };
  const path = (await locate('docker', probe)) ?? null;
  const codes: string[] = [];
  for (const socket of engineSockets(probe.env)) {
    const answer = await askVersion(socket, probe);
    if ('version' in answer) {
      if (isTooOld(answer.apiVersion ?? ''))
        return tooOld(base, answer, path ?? socket, await installCommand(DOCKER_PACKAGE, probe));
      const image = agentImage === undefined ? undefined : await askSocket(socket, `/images/${agentImage}/json`, probe);
      return ready(base, answer, path ?? socket, image && 'status' in image ? image.status === 200 : undefined);
    }
    codes.push(answer.code);
  }
  // The CLI knows further ways: contexts, other machines.
  if (path !== null) {
    const answer = await ask(path, ['version', '--format', '{{.Server.Version}}'], probe);
    const version = versionIn(answer);
    if (version !== undefined && answer.kind === 'ended') return ready(base, { version, tookMs: answer.tookMs }, path, undefined);
    const isForbidden = codes.includes('EACCES') || (answer.kind === 'ended' && /permission denied/i.test(answer.stderr));
    // It took the connection, and said nothing until the time was over.
    const hangs = codes.includes('ABORT_ERR');
    return {
      ...base,
      state: 'optional',
      detail: line(
        isForbidden
          ? 'Installed, but you may not use it'
          : `Installed, but it ${hangs ? 'hangs' : 'does not answer'}: ${problemOf(answer)}`,
        path,
      ),
      path,
      remedy: isForbidden ? joinEngineGroup() : hangs ? restartEngine() : startEngine(),
    };
  }
  const remedy = await installCommand(DOCKER_PACKAGE, probe);
  return {
    ...base,
    state: 'optional',
    detail: 'Optional, not found: agents run in tmux and plain terminals, not contained',
    path,
    remedy,
  };
}

/** `hasImage` is undefined where that is not known. */
function ready(
  base: Pick<SystemCheck, 'id' | 'title' | 'group' | 'loginState'>,
  engine: Engine,
  path: string,
  hasImage: boolean | undefined,
): SystemCheck {
  const took = `answers in ${Math.max(1, Math.round(engine.tookMs))} ms`;
  const image = hasImage === undefined ? undefined : hasImage ? 'the agent image is there' : 'the agent image is not made yet';
  return {
    ...base,
    state: hasImage === false ? 'needs' : 'ok',
    detail: line(engine.version, took, image, path),
    path,
    version: engine.version,
    remedy: hasImage === false ? 'quarterdeck image build' : null,
  };
}

function tooOld(
  base: Pick<SystemCheck, 'id' | 'title' | 'group' | 'loginState'>,
  engine: Engine,
  path: string,
  remedy: string,
): SystemCheck {
  const detail = line(`${engine.version} is too old: Docker 20.10 or newer is needed`, path);
  return { ...base, state: 'failed', detail, path, version: engine.version, remedy };
}

async function askVersion(socketPath: string, probe: Probe): Promise<Engine | { readonly code: string }> {
  const startedAt = performance.now();
  const answer = await askSocket(socketPath, '/version', probe);
  if ('code' in answer) return answer;
  const engine = EngineVersion.safeParse(parseJson(answer.text)).data;
  return engine
    ? { version: engine.Version, apiVersion: engine.ApiVersion, tookMs: performance.now() - startedAt }
    : { code: 'EPROTO' };
}

function askSocket(socketPath: string, path: string, probe: Probe): Promise<SocketAnswer> {
  const timeout = Math.max(1, Math.ceil(probe.deadline - performance.now()));
  return new Promise((resolve) => {
    const call = request({ socketPath, path, headers: { host: 'docker' }, signal: AbortSignal.timeout(timeout) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_CHARS) call.destroy(new Error('too long'));
      });
      response.on('error', () => resolve({ code: 'EIO' }));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on('error', (error) => resolve({ code: 'code' in error && typeof error.code === 'string' ? error.code : 'EIO' }));
    call.end();
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
