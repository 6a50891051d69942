/** A terminal attached to an agent: keeps one view open across restarts of the core, until the operator or the agent ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { CliError } from '../cli-error.ts';
import type { CliIo } from '../io.ts';
import { plain } from '../output.ts';
import type { ControlPayload } from '#shared/terminals/frames.ts';
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
  /** Takes control from whoever has it. */
  readonly isForced: boolean;
  readonly openSocket: () => Promise<WebSocket>;
}

/** How an attached terminal was left. */
export type AttachEnd =
  | { readonly kind: 'detached' }
  | { readonly kind: 'ended'; readonly message: string }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/**
 * Attaches, and takes control unless it only looks. When somebody takes control away it goes on looking, and says so on the last
 * line. Fails with the core's refusal (CONFLICT names who has control), or with NOT_RUNNING when the core stays away; the terminal
 * is put back in any case.
 */
export async function attachTerminal(options: AttachOptions): Promise<AttachEnd> {
  const { io, watchedSize } = options;
  let view: TerminalView | undefined;
  const over = new AbortController();
  let leave: (end: AttachEnd) => void = () => undefined;
  const left = new Promise<AttachEnd>((resolve) => (leave = resolve));
  const keys = new EscapeKeys();
  /** Whether keys go to the agent: not when only looking, nor when somebody else took control. */
  let hasControl = watchedSize === undefined;
  const onInput = (input: Uint8Array): void => {
    const { bytes, isDetach, isTake } = keys.feed(input);
    if (hasControl && bytes.length > 0) view?.input(bytes);
    if (isTake && !hasControl && watchedSize === undefined) view?.take();
    if (isDetach) leave({ kind: 'detached' });
  };
  const terminal = new RawTerminal(io, onInput, () => {
    if (watchedSize === undefined) view?.resize(terminal.size);
  });
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const onSignal = (signal: NodeJS.Signals): void => leave({ kind: 'signal', signal });
  for (const signal of signals) process.on(signal, onSignal);
  io.takeSignals();

  const say = (words: string): void => {
    // On the last line, which the agent's program draws over as it goes on.
    terminal.write(`\u001b7\u001b[${terminal.size.rows};1H\u001b[0;7m[${words}]\u001b[0m\u001b[K\u001b8`);
  };
  const onControl = (holder: ControlPayload['holder']): void => {
    const had = hasControl;
    hasControl = watchedSize === undefined && holder?.isYou === true;
    if (had && !hasControl && holder)
      say(`${plain(holder.name)} (${holder.door}) took control: you only look. Ctrl-] t takes it back, Ctrl-] d leaves.`);
    else if (had && !hasControl) say('You only look. Ctrl-] t takes control, Ctrl-] d leaves.');
    else if (!had && hasControl) say('You have control.');
  };

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
          // Who lost control before the core went away does not take it again unasked.
          control: !hasControl ? 'watch' : options.isForced && awaySince === undefined ? 'force' : 'take',
          ...(watchedSize ?? terminal.size),
        },
        {
          onControl,
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
      if (end.kind === 'refused' && end.isHeld && awaySince !== undefined) {
        // Somebody took control while the core was away.
        hasControl = false;
        continue;
      }
      if (end.kind === 'refused' && end.isHeld) {
        const hint = `--watch looks only, --force takes control: \`quarterdeck attach ${options.agentId} --force\`.`;
        throw new CliError(end.code, `${plain(end.message)} ${hint}`);
      }
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
