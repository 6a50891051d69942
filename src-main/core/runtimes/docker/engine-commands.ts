/** The commands by which an operator mends a container engine, as this machine has them. */
import { existsSync } from 'node:fs';

const sudo = (): string => (process.getuid?.() === 0 ? '' : 'sudo ');
const service = (verb: 'start' | 'restart'): string =>
  existsSync('/run/systemd/system') ? `${sudo()}systemctl ${verb} docker` : `${sudo()}service docker ${verb}`;

/** Starts an engine that is installed. */
export function startEngine(): string {
  return process.platform === 'darwin' ? 'open -a Docker' : service('start');
}

/** Ends and starts an engine that hangs. */
export function restartEngine(): string {
  return process.platform === 'darwin' ? 'docker desktop restart' : service('restart');
}

/** Lets this user use the engine. */
export function joinEngineGroup(): string {
  return 'sudo usermod -aG docker "$USER" && newgrp docker';
}
