/** Handlers of the procedures about the installation itself. */
import type { systemContract } from '#shared/system/contract.ts';
import type { RunInfo, SystemCheck } from '#shared/system/model.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { AgentRegistry } from '#core/agents/agent-registry.ts';
import type { Journal } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Runtime } from '#core/runtimes/runtime.ts';
import type { EventLoopMonitor } from './event-loop.ts';

/** What the handlers work with. */
export interface SystemHandlerOptions {
  readonly info: () => RunInfo;
  readonly dataDir: string;
  /** Looks at this machine. */
  readonly examine: () => Promise<SystemCheck[]>;
  readonly runtimes: readonly Runtime[];
  readonly registry: AgentRegistry;
  readonly store: AppStore;
  readonly journal: Journal;
  readonly loop: EventLoopMonitor;
  readonly followers: () => number;
  /** Messages ever sent, and unread ones now. */
  readonly messageCounts: () => { messages: number; unread: number };
  readonly now: () => number;
  /** Asks the host to end the core. */
  readonly requestShutdown: (options: { stopAgents: boolean }) => void;
}

/** Handlers of the procedures about the installation itself. */
export function systemHandlers(o: SystemHandlerOptions): HandlersOf<typeof systemContract> {
  // Several windows may ask at once: they share one look, which starts a dozen programs.
  let looking: Promise<{ checks: SystemCheck[]; checkedAt: number }> | undefined;
  const look = async (): Promise<{ checks: SystemCheck[]; checkedAt: number }> => ({
    checks: await o.examine(),
    checkedAt: o.now(),
  });
  return {
    info: async () => ({
      ...o.info(),
      dataDir: o.dataDir,
      runtimes: await Promise.all(o.runtimes.map((runtime) => runtime.probe())),
    }),

    stats: async () => {
      const agents: Record<string, number> = {};
      for (const agent of o.registry.all()) agents[agent.state.status] = (agents[agent.state.status] ?? 0) + 1;
      return {
        uptimeMs: o.now() - o.info().startedAt,
        agents,
        ...o.messageCounts(),
        journalSeq: o.journal.seq,
        followers: o.followers(),
        memoryBytes: process.memoryUsage.rss(),
        eventLoop: o.loop.read(),
        store: o.store.stats(),
      };
    },

    doctor: () => {
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },

    shutdown: async (input) => {
      o.requestShutdown({ stopAgents: input.stopAgents });
      return { isEnding: true as const };
    },
  };
}
