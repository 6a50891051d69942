/** Starts the gateway as a process of its own that outlives the core. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '#shared/kernel/errors.ts';
import { EXIT_TAKEN } from '#shared/gateway/model.ts';

/** How a gateway is started. */
export interface GatewayProgram {
  /** Program and first arguments, for example `[node, …/gateway.js]`. */
  readonly argv: readonly string[];
  /** Folder of `gateway.sock`. */
  readonly socketDir: string;
  /** The log of connections. */
  readonly eventLog: string;
  /** What it prints. Never a key: it has none on its command line and none in its environment. */
  readonly logFile: string;
  readonly version: string;
  /** The core's environment: of it the gateway gets what `GIVEN` names. */
  readonly env: NodeJS.ProcessEnv;
}

/** The gateway of a data folder, as a host of this version starts it. */
export function gatewayProgram(
  argv: readonly string[],
  paths: { readonly socketDir: string; readonly logs: string },
  host: { readonly version: string; readonly env: NodeJS.ProcessEnv },
): GatewayProgram {
  const { version, env } = host;
  const eventLog = join(paths.logs, 'egress.jsonl');
  return { argv, socketDir: paths.socketDir, eventLog, logFile: join(paths.logs, 'gateway.log'), version, env };
}

/** What of the core's environment the gateway gets. No tokens, no passphrase, no NODE_OPTIONS. */
const GIVEN = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];
/** Beside those: settings of the gateway itself, for tests and operators. */
const GIVEN_PREFIX = 'QUARTERDECK_GATEWAY_';

/** A gateway that was started. */
export interface StartedGateway {
  readonly pid: number;
  /** Settles with a sentence when it has ended; while this core lives. */
  readonly ended: Promise<string>;
}

/**
 * Starts one, detached. Resolves when its process runs, before it answers; fails when it cannot be run at all. One that finds
 * another living in its folder ends by itself.
 */
export function startGateway(program: GatewayProgram): Promise<StartedGateway> {
  const [file = '', ...first] = program.argv;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(program.env))
    if (value !== undefined && (GIVEN.includes(name) || name.startsWith(GIVEN_PREFIX))) env[name] = value;
  const log = openSync(program.logFile, 'a', 0o600);
  try {
    const args = [...first, '--socket-dir', program.socketDir, '--log', program.eventLog, '--version', program.version];
    const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log], cwd: dirname(program.logFile), env });
    // It goes on when the core ends, and must not keep the core from ending.
    child.unref();
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) =>
        resolve(
          code === EXIT_TAKEN
            ? 'another gateway runs in its folder'
            : signal === null
              ? `it ended with code ${code}`
              : `${signal}`,
        ),
      );
    });
    return new Promise((resolve, reject) => {
      child.once('error', (error) =>
        reject(new Error(`the gateway could not be started: ${messageOf(error)}`, { cause: error })),
      );
      child.once('spawn', () => resolve({ pid: child.pid ?? 0, ended }));
    });
  } finally {
    closeSync(log);
  }
}
