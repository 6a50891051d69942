/** Docker: does an engine answer, on a socket or through the CLI, and how fast. */
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { SystemCheck } from '#shared/system/model.ts';
import { installCommand } from './install-command.ts';
import type { Probe } from './probe.ts';
import { ask, line, locate, problemOf, versionIn } from './probe.ts';

/** An engine's answer to `GET /version` is small; more than this is none. In characters. */
const MAX_CHARS = 64 * 1024;
/** Said beside an engine that answers: nobody should think that agents are contained already. */
const NOT_USED_YET = 'agents do not run in it yet';

const EngineVersion = z.object({ Version: z.string().max(60) });

/** An engine that answered. */
interface Engine {
  readonly version: string;
  readonly tookMs: number;
}

/** What came of asking a socket: an engine, or the system's code for why not. */
type SocketAnswer = Engine | { readonly code: string };

/** Looks for Docker. Never rejects. */
export async function checkDocker(probe: Probe): Promise<SystemCheck> {
  const base = { id: 'docker', title: 'Docker', group: 'runtimes' as const, loginState: null, version: null };
  const path = (await locate('docker', probe)) ?? null;
  const codes: string[] = [];
  for (const socket of socketsOf(probe.env)) {
    const answer = await askSocket(socket, probe);
    if ('version' in answer) return ready(base, answer, path ?? socket);
    codes.push(answer.code);
  }
  // The CLI knows further ways: contexts, other machines.
  if (path !== null) {
    const answer = await ask(path, ['version', '--format', '{{.Server.Version}}'], probe);
    const version = versionIn(answer);
    if (version !== undefined && answer.kind === 'ended') return ready(base, { version, tookMs: answer.tookMs }, path);
    const isForbidden = codes.includes('EACCES') || (answer.kind === 'ended' && /permission denied/i.test(answer.stderr));
    return {
      ...base,
      state: 'optional',
      detail: line(
        isForbidden ? 'Installed, but you may not use it' : `Installed, but it does not answer: ${problemOf(answer)}`,
        path,
      ),
      path,
      remedy: isForbidden ? 'sudo usermod -aG docker "$USER" && newgrp docker' : startCommand(),
    };
  }
  const remedy = await installCommand({ apt: 'docker.io', other: 'docker', brew: '--cask docker' }, probe);
  return { ...base, state: 'optional', detail: 'Optional, not found: agents run in tmux and plain terminals', path, remedy };
}

function ready(base: Pick<SystemCheck, 'id' | 'title' | 'group' | 'loginState'>, engine: Engine, path: string): SystemCheck {
  const took = `answers in ${Math.max(1, Math.round(engine.tookMs))} ms`;
  return {
    ...base,
    state: 'ok',
    detail: line(engine.version, took, NOT_USED_YET, path),
    path,
    version: engine.version,
    remedy: null,
  };
}

function startCommand(): string {
  return process.platform === 'darwin' ? 'open -a Docker' : 'sudo systemctl start docker';
}

/** Where engines listen: the one that is named, the usual one, Docker Desktop's, a rootless one. */
function socketsOf(env: NodeJS.ProcessEnv): string[] {
  const named = env['DOCKER_HOST'];
  if (named !== undefined && named !== '') return named.startsWith('unix://') ? [named.slice('unix://'.length)] : [];
  const runtimeDir = env['XDG_RUNTIME_DIR'];
  return [
    '/var/run/docker.sock',
    join(env['HOME'] ?? homedir(), '.docker', 'run', 'docker.sock'),
    ...(runtimeDir === undefined || runtimeDir === '' ? [] : [join(runtimeDir, 'docker.sock')]),
  ];
}

function askSocket(socketPath: string, probe: Probe): Promise<SocketAnswer> {
  const startedAt = performance.now();
  const timeout = Math.max(1, Math.ceil(probe.deadline - startedAt));
  return new Promise((resolve) => {
    const call = request(
      { socketPath, path: '/version', headers: { host: 'docker' }, signal: AbortSignal.timeout(timeout) },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_CHARS) call.destroy(new Error('too long'));
        });
        response.on('error', () => resolve({ code: 'EIO' }));
        response.on('end', () => {
          const engine = EngineVersion.safeParse(parseJson(text)).data;
          resolve(engine ? { version: engine.Version, tookMs: performance.now() - startedAt } : { code: 'EPROTO' });
        });
      },
    );
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
