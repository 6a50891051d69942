/** Where everything lives (docs/architecture.md, "Where things are"). Pure: makes names, touches nothing. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** The files and folders of one data folder. All absolute. */
export interface DataPaths {
  readonly dataDir: string;
  readonly database: string;
  readonly lock: string;
  readonly runFile: string;
  readonly operatorToken: string;
  readonly auditHead: string;
  readonly secrets: string;
  readonly agents: string;
  readonly projects: string;
  readonly sessions: string;
  readonly templates: string;
  readonly logs: string;
  readonly backups: string;
  /** Sockets: short, because the path of a Unix socket is limited to 107 bytes. */
  readonly socketDir: string;
}

/** The data folder: stated, else by the environment, else the platform's own place. */
export function resolveDataDir(
  stated: string | undefined,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): string {
  if (stated !== undefined && stated !== '') return resolve(stated);
  if (env['QUARTERDECK_HOME']) return resolve(env['QUARTERDECK_HOME']);
  if (env['XDG_DATA_HOME']) return join(resolve(env['XDG_DATA_HOME']), 'quarterdeck');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Quarterdeck');
  if (platform === 'win32') return join(env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'Quarterdeck');
  return join(homedir(), '.local', 'share', 'quarterdeck');
}

/** The places inside a data folder, and the folder of its sockets. */
export function pathsOf(dataDir: string, env: NodeJS.ProcessEnv): DataPaths {
  const mark = createHash('sha256').update(dataDir).digest('hex').slice(0, 8);
  const uid = process.getuid?.() ?? 0;
  return {
    dataDir,
    database: join(dataDir, 'quarterdeck.db'),
    lock: join(dataDir, 'lock.db'),
    runFile: join(dataDir, 'run.json'),
    operatorToken: join(dataDir, 'operator-token'),
    auditHead: join(dataDir, 'audit-head'),
    secrets: join(dataDir, 'secrets'),
    agents: join(dataDir, 'agents'),
    projects: join(dataDir, 'projects'),
    sessions: join(dataDir, 'sessions'),
    templates: join(dataDir, 'templates'),
    logs: join(dataDir, 'logs'),
    backups: join(dataDir, 'backups'),
    socketDir: env['XDG_RUNTIME_DIR'] ? join(env['XDG_RUNTIME_DIR'], `qd-${mark}`) : `/tmp/qd-${uid}-${mark}`,
  };
}

/** Folder for what can be made again at any time: `$XDG_CACHE_HOME/quarterdeck`, or the platform's own place. */
export function cacheDirOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  const stated = env['XDG_CACHE_HOME'];
  if (stated !== undefined && isAbsolute(stated)) return join(stated, 'quarterdeck');
  const home = env['HOME'] ?? homedir();
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'Quarterdeck');
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'Quarterdeck', 'Cache');
  return join(home, '.cache', 'quarterdeck');
}
