import { Plug } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Dialog } from '#renderer/ui/dialog.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import type { AdoptableSession } from '#shared/agents/observation.ts';
import type { AgentId } from '#shared/kernel/ids.ts';

/** Sessions come and go beside us: they are looked for this often while the screen is shown, in milliseconds. */
const LOOK_EVERY_MS = 10_000;

/** The agents that run in tmux sessions of the operator's own, and the way to bring them in. */
export function AdoptPanel({ onAdopted }: { readonly onAdopted: (id: AgentId) => void }): ReactNode {
  const session = useSession();
  const isOnline = useWindowState(({ status }) => status.kind === 'online');
  const adopt = useCommand();
  const [sessions, setSessions] = useState<readonly AdoptableSession[]>();
  const [isShown, setShown] = useState(false);

  useEffect(() => {
    if (!isOnline) return undefined;
    const look = (): void => {
      if (document.hidden) return;
      Promise.resolve()
        .then(() => session.client.agents.adoptable({}))
        .then((answer) => setSessions(answer.sessions))
        // A line that is lost says so elsewhere; what was found stays.
        .catch(() => undefined);
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [session, isOnline]);

  const free = (sessions ?? []).filter(({ isAdopted }) => !isAdopted);
  const bringIn = (found: AdoptableSession): void =>
    adopt.run(async () => {
      const agent = await session.client.agents.adopt({ socket: found.socket, session: found.session });
      setShown(false);
      onAdopted(agent.id);
    });
  return (
    <>
      <p className="text-12 text-pretty text-tx-2">{sentenceOf(sessions === undefined ? undefined : free)}</p>
      {free.length === 0 ? null : (
        <Button className="self-start" onClick={() => setShown(true)}>
          Show {free.length === 1 ? 'it' : 'them'}
        </Button>
      )}
      <Dialog
        isOpen={isShown}
        onClose={() => setShown(false)}
        title="Adopt what is running"
        description="An adopted session stays where it is. Stopping its agent here only detaches from it: the session runs on. It is not contained."
      >
        {adopt.problem === undefined ? null : <Notice title="It was not adopted." detail={adopt.problem} />}
        <ul className="overflow-hidden rounded-2 border border-hair">
          {free.map((found) => (
            <li
              key={`${found.socket} ${found.pane}`}
              className="flex items-center gap-3 border-b border-hair px-3 py-2 text-12 last:border-b-0"
            >
              <span className="min-w-0 flex-1">
                <span className="flex items-baseline gap-2">
                  <strong className="font-code text-13 font-strong">{found.session}</strong>
                  <span className="text-tx-2">{found.program}</span>
                  {found.startedAt === null ? null : (
                    <span className="text-tx-3">
                      started <RelativeTime at={found.startedAt} />
                    </span>
                  )}
                </span>
                <span className="font-code block truncate text-tx-3" title={found.cwd ?? ''}>
                  {found.cwd ?? 'folder unknown'}
                </span>
              </span>
              <Button icon={<Plug aria-hidden className="size-3.5" />} disabled={adopt.isRunning} onClick={() => bringIn(found)}>
                Adopt
              </Button>
            </li>
          ))}
        </ul>
      </Dialog>
    </>
  );
}

/** What was found, in a sentence. */
function sentenceOf(free: readonly AdoptableSession[] | undefined): string {
  if (free === undefined) return 'Looking for agents in your tmux sessions.';
  const names = free.map(({ session }) => session);
  const [first] = names;
  if (first === undefined) return 'No tmux session of yours looks like an agent (claude, codex, gemini and others).';
  if (names.length === 1) return `The tmux session “${first}” looks like an agent.`;
  const shown = names.slice(0, 3).join(', ');
  return `${names.length} tmux sessions look like agents: ${shown}${names.length > 3 ? ' and others' : ''}.`;
}
