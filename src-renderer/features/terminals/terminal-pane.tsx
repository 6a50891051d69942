import { Eye, Keyboard } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { Button } from '#renderer/ui/button.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { ScreenStatus } from './terminal-screen.ts';
import { TerminalScreen } from './terminal-screen.ts';

interface TerminalPaneProps {
  readonly agentId: AgentId;
  /** Changes with every start of the agent: a new start is a new terminal. */
  readonly runId: string | undefined;
}

/** Ends after which the same run can be shown again. The others end with the agent; its next start is a new terminal. */
const REOPENABLE: ReadonlySet<string> = new Set(['DETACHED', 'UNAVAILABLE', 'INTERNAL', 'TOO_MANY_REQUESTS']);

/** The agent's terminal, and whether keys go to it. */
export function TerminalPane({ agentId, runId }: TerminalPaneProps): ReactNode {
  const { terminals } = useSession();
  const box = useRef<HTMLDivElement>(null);
  const screen = useRef<TerminalScreen>(undefined);
  const [status, setStatus] = useState<ScreenStatus>({ kind: 'opening' });
  const [isTyping, setTyping] = useState(false);
  const [tries, setTries] = useState(0);
  const show = useCallback((next: ScreenStatus) => {
    setStatus(next);
    // Keys typed into a terminal that is cut off would be lost unseen.
    if (next.kind !== 'live') setTyping(false);
  }, []);
  const toggle = useCallback(() => setTyping((typing) => !typing), []);

  useEffect(() => {
    let isGone = false;
    // The size of a cell is measured once, at the start: in the right face.
    const ready = Promise.all([
      document.fonts.load('12.5px "JetBrains Mono"'),
      document.fonts.load('700 12.5px "JetBrains Mono"'),
    ]);
    ready
      .catch(() => undefined)
      .then(() => {
        if (isGone || !box.current) return;
        screen.current = new TerminalScreen({
          box: box.current,
          link: terminals,
          agentId,
          onStatus: show,
          onToggleTyping: toggle,
        });
        exposeForTests(screen.current);
      })
      .catch(() => undefined);
    return () => {
      isGone = true;
      screen.current?.dispose();
      screen.current = undefined;
      setTyping(false);
    };
  }, [terminals, agentId, runId, tries, show, toggle]);

  useEffect(() => screen.current?.setTyping(isTyping), [isTyping]);

  const canType = status.kind === 'live';
  const { size } = status;
  // A view that was refused at once has nothing to show; CONFLICT is an agent that was never started.
  const neverShown = status.kind === 'ended' && size === undefined && status.reason?.code === 'CONFLICT';
  const note = status.kind === 'lost' ? 'This terminal is cut off. It comes back with its whole screen.' : status.reason?.message;
  return (
    <section aria-label={`Terminal of ${agentId}`} className="flex min-h-0 flex-1 flex-col">
      <div className="relative min-h-0 flex-1 bg-t-bg py-2 pl-4">
        <div ref={box} className="font-code size-full overflow-hidden" />
        {neverShown ? (
          <div className="absolute inset-0 bg-bg-0">
            <EmptyState title="No terminal">
              <p>This agent does not run and has left nothing behind to be shown. Start it, and its terminal stands here.</p>
            </EmptyState>
          </div>
        ) : null}
        {note === undefined || neverShown ? null : (
          <p
            role="status"
            className="absolute inset-x-0 bottom-0 flex min-h-9 items-center gap-3 border-t border-hair bg-bg-1 px-4 py-1.5 text-12 text-tx-2"
          >
            <span className="min-w-0 flex-1">{note}</span>
            {status.reason !== undefined && REOPENABLE.has(status.reason.code) ? (
              <Button size="small" onClick={() => setTries(tries + 1)}>
                Open again
              </Button>
            ) : null}
          </p>
        )}
      </div>
      <div
        className={`flex h-10 flex-none items-center gap-2.5 border-t pr-2 pl-4 text-12 whitespace-nowrap ${
          isTyping ? 'border-ink bg-ink text-on-ink' : 'border-hair bg-bg-1 text-tx-2'
        }`}
      >
        {isTyping ? <Keyboard aria-hidden className="size-3.5 flex-none" /> : <Eye aria-hidden className="size-3.5 flex-none" />}
        <span className="min-w-0 truncate" aria-live="polite">
          <strong className={`font-strong ${isTyping ? '' : 'text-tx-1'}`}>{isTyping ? 'You are typing.' : 'Watching.'}</strong>{' '}
          {isTyping ? 'Every key goes to the agent.' : 'Keys you press go nowhere.'}
        </span>
        {size ? (
          <span className="figures ml-auto hidden pl-2 wide:inline" title="columns by rows">
            {size.cols} × {size.rows}
          </span>
        ) : null}
        <Button
          aria-pressed={isTyping}
          disabled={!canType}
          className={`ml-auto ${size ? 'wide:ml-0' : ''} ${isTyping ? 'border-on-ink! bg-transparent! text-on-ink!' : ''}`}
          icon={<Keyboard aria-hidden className="size-3.5" />}
          onClick={toggle}
        >
          {isTyping ? 'Stop typing' : 'Type'}
          <KeyHint>Ctrl Enter</KeyHint>
        </Button>
      </div>
    </section>
  );
}

declare global {
  interface Window {
    /** The text of the terminal on the page, history included. What is drawn cannot be read back from the page. */
    quarterdeckTerminalText?: () => string;
  }
}

function exposeForTests(shown: TerminalScreen): void {
  window.quarterdeckTerminalText = () => shown.text();
}
