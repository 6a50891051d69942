/** The core inside the desktop app. */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import type { MessagePortMain } from 'electron';
import { app, MessageChannelMain } from 'electron';
import pino from 'pino';
import type { App } from '#core/app.ts';
import { startApp } from '#core/app.ts';
import { DESKTOP_OPERATOR } from '#core/caller.ts';
import type { Contract } from '#shared/contract.ts';
import { coreFiles } from './desktop-files.ts';
import type { LaunchOptions } from './launch-options.ts';

/** The core as the shell uses it. */
export interface DesktopCore {
  readonly info: App['info'];
  /** The contract, for the shell's own menus: the same calls as the window's, as the same operator. */
  readonly client: ContractRouterClient<Contract>;
  serveRpcPort(port: MessagePortMain): void;
  serveTerminalPort(port: MessagePortMain): void;
  log(message: string, error?: unknown): void;
  /** Ends the core; agents that can outlive it go on unless told otherwise. */
  close(options: { stopAgents: boolean }): Promise<void>;
}

/** Starts the core. Fails with an AppError that says what to do. */
export async function startDesktopCore(
  options: LaunchOptions,
  onShutdownRequested: (ending: { stopAgents: boolean }) => void,
): Promise<DesktopCore> {
  const log = pino(
    { level: process.env['QUARTERDECK_LOG'] ?? 'warn', base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  const core = await startApp({
    ...coreFiles(app.isPackaged ? process.resourcesPath : undefined),
    dataDir: options.dataDir,
    env: process.env,
    version: app.getVersion(),
    port: options.port,
    agentPort: options.agentPort,
    bind: options.bind,
    allowHosts: options.allowHosts,
    log,
    onShutdownRequested,
  });
  const own = new MessageChannelMain();
  core.serveRpcPort(own.port1, DESKTOP_OPERATOR);
  own.port1.start();
  const client: ContractRouterClient<Contract> = createORPCClient(new RPCLink({ port: own.port2 }));
  own.port2.start();
  return {
    info: core.info,
    client,
    serveRpcPort: (port) => core.serveRpcPort(port, DESKTOP_OPERATOR),
    serveTerminalPort: (port) => core.serveTerminalPort(port, DESKTOP_OPERATOR),
    log: (message, error) => log.warn(error === undefined ? {} : { err: error }, message),
    close: async (ending) => {
      own.port2.close();
      await core.close(ending);
    },
  };
}
