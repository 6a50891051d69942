/**
 * Agents that run in tmux sessions of the operator's own: found, and brought in as agents that are attached to them.
 * Invariant: the session is never ours. What we start is one more tmux client of it; to end that is to detach.
 */
import type { Agent, AgentDraft } from '#shared/agents/model.ts';
import type { AdoptableSession } from '#shared/agents/observation.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import type { Caller } from '#core/caller.ts';
import { freeId } from './agent-draft.ts';
import { KeyedMutex } from './keyed-mutex.ts';
import type { FoundSession, TmuxSurvey, TmuxSurveyOptions } from './tmux-survey.ts';
import { surveyTmux } from './tmux-survey.ts';

/** What this needs of the agents. */
export interface ForeignSessionsOptions extends TmuxSurveyOptions {
  readonly agents: () => readonly Agent[];
  readonly isTaken: (id: AgentId) => boolean;
  readonly spawn: (input: AgentDraft & { projectFolder?: string | undefined }, caller: Caller) => Promise<Agent>;
  readonly start: (id: AgentId, caller: Caller) => Promise<Agent>;
}

/** A session, as it is named to tmux. */
interface SessionName {
  readonly socket: string;
  readonly session: string;
}

/**
 * The command that attaches. Without TMUX, which would make tmux refuse to be run inside itself; with -N it starts no server
 * where there is none any more, with -E it changes no variable of the session, and with ignore-size the operator's own
 * terminals keep deciding how large its windows are.
 */
export function attachCommand({ socket, session }: SessionName): string[] {
  const tmux = ['tmux', '-u', '-N', '-S', socket, 'attach-session', '-E', '-f', 'ignore-size', '-t', `=${session}`];
  return ['env', '-u', 'TMUX', '-u', 'TMUX_PANE', ...tmux];
}

/** Finds sessions and brings them in. */
export class ForeignSessions {
  readonly #o: ForeignSessionsOptions;
  readonly #adopting = new KeyedMutex<'all'>();

  constructor(options: ForeignSessionsOptions) {
    this.#o = options;
  }

  /** What could be brought in, and what was already. */
  async list(): Promise<{ sessions: AdoptableSession[]; problems: TmuxSurvey['problems'] }> {
    const { sessions, problems } = await surveyTmux(this.#o);
    return { sessions: sessions.map((one) => ({ ...one, isAdopted: this.#agentOf(one) !== undefined })), problems };
  }

  /**
   * Brings a session in: one that was brought in before is the agent that is there, attached again if it was stopped.
   * NOT_FOUND when no agent CLI runs in a session of that name any more.
   */
  adopt(name: SessionName, caller: Caller): Promise<Agent> {
    // One after the other: the second of two that ask for the same finds the first one's agent.
    return this.#adopting.run('all', async () => {
      const { sessions } = await surveyTmux(this.#o);
      const found = sessions.find((one) => one.socket === name.socket && one.session === name.session);
      if (!found)
        throw new AppError(
          'NOT_FOUND',
          `No agent CLI runs in a tmux session "${name.session}" on ${name.socket}. List those that do with list_adoptable_sessions (quarterdeck adopt).`,
          { data: { ...name } },
        );
      const present = this.#agentOf(found);
      if (present) return this.#o.start(present.id, caller);
      const draft: AgentDraft = {
        id: this.#idFor(found),
        type: 'command',
        command: attachCommand(found),
        description: describe(found),
      };
      return this.#o.spawn(found.cwd === null ? draft : { ...draft, projectFolder: found.cwd }, caller);
    });
  }

  #agentOf(found: SessionName): Agent | undefined {
    const command = canonicalJson(attachCommand(found));
    return this.#o.agents().find((agent) => canonicalJson(agent.config.command) === command);
  }

  /** The session's own name where it can be one; of a session that tmux numbered, the program's with the number. */
  #idFor(found: FoundSession): AgentId {
    const stem = (/[a-z]/i.test(found.session) ? found.session : `${found.program}-${found.session}`)
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 55);
    const id = AgentId.safeParse(stem);
    return id.success && !this.#o.isTaken(id.data) ? id.data : freeId(id.success ? stem : found.program, this.#o.isTaken);
  }
}

/** What such an agent is, and what stopping and pausing it does: nobody should expect more of it. */
function describe({ program, session }: FoundSession): string {
  return `${program} in your own tmux session "${session.slice(0, 100)}", which Quarterdeck is attached to like one more terminal. Stopping this agent only detaches: the session runs on. Pausing it freezes this view, not ${program}.`;
}
