/** The gateway's way out: names are resolved once, every address is judged, and exactly a judged one is connected to. */
import { Resolver } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { AskedTarget } from './addresses.ts';
import { whyNotPublic } from './addresses.ts';
import type { AgentRule } from './rules.ts';
import { isNamedAddress } from './rules.ts';

/** What of the machine is used to connect; tests give another one. */
export interface Network {
  /** All addresses of a name, IPv4 and IPv6; empty when it has none. Rejects when nobody could tell. */
  resolve(name: string, deadlineMs: number): Promise<readonly string[]>;
  /** Begins to connect. */
  connect(address: string, port: number): Socket;
  /** Addresses of this machine, whatever they look like. */
  ownAddresses(): readonly string[];
}

/** The machine's own network. Names are asked of the DNS servers it is configured with, not of its hosts file. */
export const MACHINE_NETWORK: Network = {
  async resolve(name, deadlineMs) {
    // Not getaddrinfo: that has four threads for the whole process, and names that hang would hold them all.
    const resolver = new Resolver({ timeout: Math.ceil(deadlineMs / 3), tries: 2 });
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return addresses;
    for (const answer of answers) {
      if (answer.status === 'rejected' && !isNoSuchName(answer.reason)) throw answer.reason;
    }
    return [];
  },
  connect: (address, port) => connect({ host: address, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }),
  ownAddresses: () => Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
};

function isNoSuchName(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENODATA' || error.code === 'ENOTFOUND');
}

/** A connection, or why there is none: refused by us, or failed outside. */
export type Reached =
  | { readonly ok: true; readonly socket: Socket; readonly address: string; readonly note: string }
  | { readonly ok: false; readonly outcome: 'refused' | 'failed'; readonly address: string | null; readonly reason: string };

/** How long it may take, in milliseconds. */
export interface ReachLimits {
  readonly resolveMs: number;
  readonly connectMs: number;
}

/** Connects to a target that `rule` allows. `signal` gives up. */
export async function reach(
  network: Network,
  target: AskedTarget,
  rule: AgentRule,
  limits: ReachLimits,
  signal: AbortSignal,
): Promise<Reached> {
  const judged = await judge(network, target, rule, limits.resolveMs, signal);
  if (!judged.ok) return judged;
  let problem = 'it could not be connected to';
  for (const address of judged.addresses) {
    if (signal.aborted) break;
    const result = await connectTo(network, address, target.port, limits.connectMs, signal);
    if (typeof result !== 'string') return { ok: true, socket: result, address, note: judged.note };
    problem = result;
  }
  return { ok: false, outcome: 'failed', address: judged.addresses[0] ?? null, reason: problem };
}

type Judged =
  | { readonly ok: true; readonly addresses: readonly string[]; readonly note: string }
  | (Reached & { readonly ok: false });

/** Which addresses of the target may be connected to. */
async function judge(
  network: Network,
  target: AskedTarget,
  rule: AgentRule,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Judged> {
  const refuse = (outcome: 'refused' | 'failed', reason: string): Judged => ({ ok: false, outcome, address: null, reason });
  if (target.kind !== 'name') {
    if (isNamedAddress(rule, target)) return { ok: true, addresses: [target.text], note: '' };
    return refuse('refused', `the address is ${whyRefused(network, target.text) ?? 'not allowed'}`);
  }
  if (target.text === 'localhost' || target.text.endsWith('.localhost'))
    return refuse('refused', 'the name stands for this machine');
  let addresses: readonly string[];
  try {
    addresses = await raceSignal(
      network.resolve(target.text, deadlineMs),
      AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
    );
  } catch (error) {
    return refuse('failed', `the name could not be resolved (${codeOf(error)})`);
  }
  if (addresses.length === 0) return refuse('failed', 'the name has no address');
  const usable: string[] = [];
  const refused: string[] = [];
  for (const address of addresses) {
    const reason = whyRefused(network, address);
    if (reason === undefined) usable.push(address);
    else refused.push(`${address} is ${reason}`);
  }
  const list = refused.slice(0, 5).join(', ');
  if (usable.length === 0) return refuse('refused', `the name leads to where agents may not go: ${list}`);
  return { ok: true, addresses: usable.slice(0, 8), note: refused.length === 0 ? '' : `not used: ${list}` };
}

function whyRefused(network: Network, address: string): string | undefined {
  return whyNotPublic(address) ?? (network.ownAddresses().includes(address) ? 'one of this machine' : undefined);
}

/** The socket once it is connected, or why it is not. */
async function connectTo(
  network: Network,
  address: string,
  port: number,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Socket | string> {
  const socket = network.connect(address, port);
  return await new Promise<Socket | string>((resolve) => {
    const settle = (result: Socket | string): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      // From here on its errors are followed by a close, which is what everybody listens to.
      socket.on('error', () => undefined);
      if (typeof result === 'string') socket.destroy();
      resolve(result);
    };
    const onAbort = (): void => settle('it was ended before it was connected');
    const onError = (error: Error): void => settle(`it could not be connected to (${codeOf(error)})`);
    const timer = setTimeout(() => settle('it did not answer in time'), deadlineMs);
    signal.addEventListener('abort', onAbort);
    socket.once('error', onError);
    socket.once('connect', () => settle(socket));
    if (signal.aborted) onAbort();
  });
}

async function raceSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(new Error('it took too long'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
