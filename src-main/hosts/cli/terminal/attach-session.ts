/** A terminal attached to an agent: keeps one view open across restarts of the core, until the operator or the agent ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { CliError } from '../cli-error.ts';
import type { CliIo } from '../io.ts';
import { plain } from '../output.ts';
import { EscapeKeys } from './escape-keys.ts';
import { RawTerminal } from './raw-terminal.ts';
import type { ViewEnd } from './terminal-view.ts';
import { TerminalView } from './terminal-view.ts';

/** How long the core may be away before the terminal is given up, in milliseconds. */
const AWAY_LIMIT_MS = 60_000;

/** What is attached to what. */
export interface AttachOptions {
  readonly io: CliIo;
  readonly agentId: AgentId;
  readonly window: string;
  readonly historyLines: number;
  /** Only looks: the agent's own size, nothing typed. Without it the size follows the operator's window. */
  readonly watchedSize?: { readonly cols: number; readonly rows: number } | undefined;
  readonly openSocket: () => Promise<WebSocket>;
}

/** How an attached terminal was left. */
export type AttachEnd =
  | { readonly kind: 'detached' }
  | { readonly kind: 'ended'; readonly message: string }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/** Attaches. Fails with the core's refusal, or with NOT_RUNNING when the core stays away; the terminal is put back in any case. */
export async function attachTerminal(options: AttachOptions): Promise<AttachEnd> {
  const { io, watchedSize } = options;
  let view: TerminalView | undefined;
  const over = new AbortController();
  let leave: (end: AttachEnd) => void = () => undefined;
  const left = new Promise<AttachEnd>((resolve) => (leave = resolve));
  const keys = new EscapeKeys();
  const onInput = (input: Uint8Array): void => {
    const { bytes, isDetach } = keys.feed(input);
    if (watchedSize === undefined && bytes.length > 0) view?.input(bytes);
    if (isDetach) leave({ kind: 'detached' });
  };
  const terminal = new RawTerminal(io, onInput, () => {
    if (watchedSize === undefined) view?.resize(terminal.size);
  });
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const onSignal = (signal: NodeJS.Signals): void => leave({ kind: 'signal', signal });
  for (const signal of signals) process.on(signal, onSignal);
  io.takeSignals();

  let awaySince: number | undefined;
  const open = async (): Promise<ViewEnd> => {
    const socket = await options.openSocket();
    try {
      const opened = new TerminalView(
        socket,
        {
          agentId: options.agentId,
          window: options.window,
          historyLines: awaySince === undefined ? options.historyLines : 0,
          ...(watchedSize ?? terminal.size),
        },
        {
          onSize: () => {
            awaySince = undefined;
            terminal.enter();
          },
          onOutput: (bytes, drawn) => terminal.write(bytes, drawn),
        },
      );
      view = opened;
      return await opened.ended;
    } finally {
      view = undefined;
      socket.terminate();
    }
  };
  const keepOpen = async (): Promise<AttachEnd> => {
    for (let attempt = 0; !over.signal.aborted; attempt += 1) {
      const end = await open().catch((error: unknown): ViewEnd => {
        if (awaySince === undefined || Date.now() - awaySince > AWAY_LIMIT_MS) throw error;
        return { kind: 'lost' };
      });
      if (over.signal.aborted) break;
      if (end.kind === 'refused' && !(awaySince !== undefined && end.code === 'UNAVAILABLE'))
        throw new CliError(end.code, end.message);
      if (end.kind === 'ended' && end.code !== 'DETACHED') return { kind: 'ended', message: plain(end.message) };
      if (awaySince === undefined) {
        awaySince = Date.now();
        attempt = 0;
        terminal.write('\r\n[Quarterdeck went away; trying again. Ctrl-] d leaves.]\r\n');
      }
      await sleep(backoffMs(RECONNECT, attempt), undefined, { signal: over.signal }).catch(() => undefined);
    }
    return { kind: 'detached' };
  };
  try {
    return await Promise.race([left, keepOpen()]);
  } finally {
    over.abort();
    view?.close();
    terminal.dispose();
    for (const signal of signals) process.off(signal, onSignal);
  }
}
