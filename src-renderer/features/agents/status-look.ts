import type { StateLook } from '#renderer/ui/state-mark.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { isHeld } from '#shared/attention/attention.ts';
import type { Agent, AgentState, AgentStatus } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import type { FleetAgent } from './fleet-agent.ts';

/** How each state is drawn. */
export const STATUS_LOOKS: Readonly<Record<AgentStatus, StateLook>> = {
  created: { shape: 'ring', tone: 'stopped', word: 'Created' },
  starting: { shape: 'dashes', tone: 'idle', word: 'Starting' },
  idle: { shape: 'half', tone: 'idle', word: 'Idle' },
  working: { shape: 'dot', tone: 'working', word: 'Working' },
  waiting: { shape: 'quarter', tone: 'idle', word: 'Waiting' },
  paused: { shape: 'bars', tone: 'paused', word: 'Paused' },
  stopping: { shape: 'dashes', tone: 'stopped', word: 'Stopping' },
  stopped: { shape: 'ring', tone: 'stopped', word: 'Stopped' },
  failed: { shape: 'cross', tone: 'failed', word: 'Failed' },
  lost: { shape: 'question', tone: 'failed', word: 'Lost' },
};

/** What is to be known about a state beyond its name; empty when there is nothing. */
function reasonOf(state: AgentState): string {
  switch (state.status) {
    case 'waiting':
    case 'failed':
    case 'lost':
      return state.reason;
    case 'stopped':
      if (state.exit.signal !== undefined) return `ended by ${state.exit.signal}`;
      return state.exit.code === undefined ? '' : `exit ${state.exit.code}`;
    case 'paused':
      return isHeld(state) ? state.evidence.detail : `was ${state.from}`;
    case 'created':
    case 'starting':
    case 'idle':
    case 'working':
    case 'stopping':
      return '';
  }
}

/** The line beside the state, as it is shown: the reason of the state, else what the agent says of itself, marked as its own words. */
export function lineOf({ state, says, config }: Agent): string {
  const reason = reasonOf(state);
  if (reason !== '') return visibleText(reason);
  if (says !== null && says.doing !== '' && state.status !== 'created') {
    const progress = says.progress === null ? '' : ` (${Math.round(says.progress * 100)} %)`;
    return `says: ${visibleText(says.doing)}${progress}`;
  }
  return visibleText(config.description);
}

/** Whether nothing happens in a terminal any more that anybody must look at. */
export function isQuiet(status: AgentStatus): boolean {
  return !isAlive(status) && status !== 'failed' && status !== 'lost';
}

const NEEDS: StateLook = { shape: 'triangle', tone: 'needs', word: 'Needs you' };

/** How an agent is drawn in the fleet: that it waits for the operator comes before its state. */
export function lookOf({ agent, question }: FleetAgent): StateLook {
  return question === undefined ? STATUS_LOOKS[agent.state.status] : NEEDS;
}

/** The one line of what it is doing, or of what it asks about; of a program that says nothing of itself, its command. */
export function doingOf({ agent, question }: FleetAgent): string {
  if (question?.subject) return visibleText(question.subject);
  return lineOf(agent) || visibleText(agent.config.command?.join(' ') ?? '');
}

/** The same where a strip below says why it failed: what it was for. */
export function purposeOf({ agent }: FleetAgent): string {
  return visibleText(agent.config.description || (agent.config.command?.join(' ') ?? ''));
}
