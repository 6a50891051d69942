/** What the journal says about an agent, in words. Pure. */
import { agentEvents } from '#shared/agents/events.ts';
import type { AgentStatus } from '#shared/agents/model.ts';
import { boundaryEvents } from '#shared/boundary/events.ts';
import { egressEvents } from '#shared/egress/events.ts';
import { holderText } from './agent-figures.ts';
import { terminalEvents } from '#shared/terminals/events.ts';
import { topicEvents } from '#shared/topics/events.ts';
import { STATUS_LOOKS } from './status-look.ts';

/** One thing that happened. */
export interface Activity {
  /** What happened, to stand behind who did it. */
  readonly text: string;
  /** The evidence, or what was said; empty when there is nothing to add. */
  readonly detail: string;
  /** Of a new state: which. */
  readonly status?: AgentStatus;
}

/** As much of a row as is read here. */
interface Row {
  readonly kind: string;
  readonly data: unknown;
}

const RELEASED: Readonly<Record<string, string>> = {
  released: 'gave the keyboard back',
  closed: 'closed the terminal and gave the keyboard back with it',
  lost: 'lost the connection, and the keyboard with it',
  ended: 'lost the keyboard: the agent ended',
};

/** The words for a row of the journal whose subject is an agent. What is not known here is named as it is. */
export function activityOf(row: Row): Activity {
  if (row.data === null) return { text: row.kind, detail: 'What it said was erased.' };
  return (
    stateActivity(row) ??
    agentActivity(row) ??
    terminalActivity(row) ??
    boundaryActivity(row) ??
    egressActivity(row) ??
    topicActivity(row) ?? { text: row.kind, detail: '' }
  );
}

function stateActivity({ kind, data }: Row): Activity | undefined {
  if (kind !== 'agent.state-changed') return undefined;
  const parsed = agentEvents[kind].safeParse(data);
  if (!parsed.success) return undefined;
  const { state } = parsed.data;
  return { text: STATUS_LOOKS[state.status].word, detail: state.evidence.detail, status: state.status };
}

function agentActivity({ kind, data }: Row): Activity | undefined {
  switch (kind) {
    case 'agent.created': {
      const parsed = agentEvents[kind].safeParse(data);
      return { text: 'created the agent', detail: parsed.success ? `type ${parsed.data.agent.config.type}` : '' };
    }
    case 'agent.run-started': {
      const parsed = agentEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      return { text: `started run ${parsed.data.starts}`, detail: `process ${parsed.data.run.pid}` };
    }
    case 'agent.reported': {
      const parsed = agentEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      const { doing, progress } = parsed.data.says;
      if (doing === '') return { text: 'says nothing any more', detail: '' };
      return { text: 'says', detail: progress === null ? doing : `${doing} (${Math.round(progress * 100)} %)` };
    }
    case 'agent.config-changed':
      return { text: 'changed the configuration', detail: '' };
    case 'agent.removed':
      return { text: 'removed the agent', detail: '' };
    default:
      return undefined;
  }
}

function terminalActivity({ kind, data }: Row): Activity | undefined {
  switch (kind) {
    case 'terminal.typed': {
      const parsed = terminalEvents[kind].safeParse(data);
      return { text: 'typed into the terminal', detail: parsed.success ? windowDetail(parsed.data.window) : '' };
    }
    case 'terminal.control-taken': {
      const parsed = terminalEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      const { from, window } = parsed.data;
      const text = from === null ? 'took the keyboard' : `took the keyboard from ${holderText(from)}`;
      return { text, detail: windowDetail(window) };
    }
    case 'terminal.control-released': {
      const parsed = terminalEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      return { text: RELEASED[parsed.data.reason] ?? 'gave the keyboard back', detail: windowDetail(parsed.data.window) };
    }
    default:
      return undefined;
  }
}

function boundaryActivity({ kind, data }: Row): Activity | undefined {
  switch (kind) {
    case 'agent.memory-refused': {
      const parsed = agentEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      return { text: 'ran out of memory', detail: `Its limit is ${parsed.data.limit}; the system ended one of its processes.` };
    }
    case 'boundary.refused': {
      const parsed = boundaryEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      return { text: `was refused ${parsed.data.asked}`, detail: parsed.data.reason };
    }
    case 'boundary.accepted': {
      const parsed = boundaryEvents[kind].safeParse(data);
      return parsed.success ? { text: `accepted ${parsed.data.asked}`, detail: 'The agent could have written it.' } : undefined;
    }
    case 'boundary.proved': {
      const parsed = boundaryEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      const { kind: proof, checks } = parsed.data;
      return { text: proof === 'launch' ? 'proved the boundary' : 'proved the limits', detail: `${checks} checks held` };
    }
    case 'boundary.failed': {
      const parsed = boundaryEvents[kind].safeParse(data);
      return parsed.success ? { text: 'found that the boundary does not hold', detail: parsed.data.problem } : undefined;
    }
    default:
      return undefined;
  }
}

function topicActivity({ kind, data }: Row): Activity | undefined {
  if (kind !== 'topic.subscribed' && kind !== 'topic.unsubscribed') return undefined;
  const parsed = topicEvents[kind].safeParse(data);
  if (!parsed.success) return undefined;
  const detail = parsed.data.patterns.join(', ');
  return { text: kind === 'topic.subscribed' ? 'subscribed to topics' : 'ended subscriptions', detail };
}

function egressActivity({ kind, data }: Row): Activity | undefined {
  switch (kind) {
    case 'egress.opened': {
      const parsed = egressEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      const { host, port, reason } = parsed.data;
      return { text: `connected to ${host}:${port}`, detail: reason };
    }
    case 'egress.refused': {
      const parsed = egressEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      const { host, port, reason } = parsed.data;
      return { text: `was refused a connection to ${host}:${port}`, detail: reason };
    }
    case 'egress.rules-changed': {
      const parsed = egressEvents[kind].safeParse(data);
      if (!parsed.success) return undefined;
      const { length } = parsed.data.rules;
      return { text: 'changed what the agent may reach', detail: `${length} ${length === 1 ? 'rule' : 'rules'}` };
    }
    default:
      return undefined;
  }
}

function windowDetail(window: string): string {
  return window === 'main' ? '' : `window ${window}`;
}
