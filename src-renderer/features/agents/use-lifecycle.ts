/** What can be done with an agent now, for buttons, menus and keys alike. */
import { useState } from 'react';
import { useScreenCommands } from '#renderer/commands/use-commands.tsx';
import { useSession } from '#renderer/store/session-context.tsx';
import type { Command } from '#renderer/store/use-command.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import type { Agent } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import type { AgentAction } from './agent-actions.ts';
import { ACTION_KEYS, ACTION_WORDS, canDo } from './agent-actions.ts';

/** One that is possible now. */
export interface LifecycleAction {
  readonly step: AgentAction;
  readonly text: string;
  readonly keys: string;
  readonly run: () => void;
}

/** In the order of their buttons, what is gentlest first. */
const STEPS: readonly AgentAction[] = ['start', 'pause', 'resume', 'restart', 'stop'];

interface Lifecycle {
  readonly actions: readonly LifecycleAction[];
  readonly command: Command;
  readonly isBusy: boolean;
  /** Ends it at once, without asking it. */
  readonly stopByForce: (() => void) | undefined;
}

/** The steps possible now, and their commands. */
export function useLifecycle(agent: Agent): Lifecycle {
  const session = useSession();
  const command = useCommand();
  const { id } = agent;
  // An order is under way until the state that it leads to is there; its answer may come later.
  const [orderedIn, setOrderedIn] = useState<number>();
  const isBusy = command.isRunning && orderedIn === agent.state.since;
  const order = (task: () => Promise<unknown>): void => {
    setOrderedIn(agent.state.since);
    command.run(task);
  };
  const actions = STEPS.filter((step) => canDo(step, agent)).map((step) => ({
    step,
    text: ACTION_WORDS[step].verb,
    keys: ACTION_KEYS[step],
    run: () => {
      if (!isBusy) order(() => session.client.agents[step]({ id }));
    },
  }));
  useScreenCommands(
    `Agent ${id}`,
    actions.map(({ step, text, keys, run }) => ({ id: `agent.${step}`, title: `${text} ${id}`, keys, isGlobal: true, run })),
  );
  const canEnd = !isExternal(agent) && (isAlive(agent.state.status) || agent.state.status === 'lost');
  // Possible while it is stopping, too: that is when it is wanted.
  const stopByForce = canEnd ? () => order(() => session.client.agents.stop({ id, force: true })) : undefined;
  return { actions, command, isBusy, stopByForce };
}
