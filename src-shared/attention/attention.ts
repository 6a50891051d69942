/**
 * What needs the operator, and how the fleet stands in one word: derived from what every window and the tray know anyway.
 * Pure, so that the window, the notification centre and the tray can never disagree.
 */
import type { Agent, AgentState, AgentStatus } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import type { EnrolmentRequest } from '#shared/enrolments/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { InboxMessage } from '#shared/messages/model.ts';

/** Longest `detail`, in characters: a notification shows no more. */
const MAX_DETAIL_CHARS = 200;

/** A message in the operator's inbox, as far as it is looked at. */
export type AttentionMessage = Pick<InboxMessage, 'id' | 'from' | 'kind' | 'subject' | 'body' | 'sentAt' | 'state'> & {
  /** When it stops mattering, in ms since the epoch; null or missing: never. */
  readonly expiresAt?: number | null;
};

/** An agent, as far as it is looked at. */
export type AttentionAgent = Pick<Agent, 'id' | 'state'> & { readonly config: Pick<Agent['config'], 'type'> };

/** One thing that wants the operator. One cause, one id: the same cause never comes twice, a new failure has a new id. */
export interface AttentionItem {
  /** `question:<message>`, `applicant:<request>`, or `failed`, `lost` or `held` with `:<agent>:<since>`; what `settings.dismissed` lists. */
  readonly id: string;
  /** held: paused by the core itself, for a reason that only the operator can end. applicant: somebody from outside asks to be let in. */
  readonly kind: 'question' | 'failed' | 'lost' | 'held' | 'applicant';
  /** Whom it is about; empty for an applicant, who is no agent yet. A question's agent may have been removed meanwhile. */
  readonly agentId: string;
  /** The message of a question; null otherwise. */
  readonly messageId: string | null;
  /** Who and what, such as "ada asks". */
  readonly title: string;
  /** The question, or why it failed or is held: one line of at most 200 characters. */
  readonly detail: string;
  /** In ms since the epoch. */
  readonly at: number;
  /** False once it was dismissed, or when nobody waits for the answer: it stays listed, and is counted and shown nowhere else. */
  readonly needsOperator: boolean;
  /** Whether somebody waits: of a question whether its agent lives; an answer to one that has ended is read by nobody. */
  readonly isAwaited: boolean;
  /** Whether starting its agent again may help: not where something else holds it, and not where it is not ours to start. */
  readonly canRestart: boolean;
}

/** What the derivation looks at. */
export interface AttentionInput {
  readonly agents: Readonly<Record<string, AttentionAgent>>;
  /** Requests of agents from outside that wait for a decision. */
  readonly enrolments?: Readonly<Record<string, EnrolmentRequest>>;
  /** The operator's inbox. What was acknowledged there is dealt with. */
  readonly inbox: readonly AttentionMessage[];
  /** Ids of messages that the operator has answered, where that is known apart from the inbox. */
  readonly answered?: ReadonlySet<string>;
  /** Attention ids that the operator waved off: `settings.dismissed`. */
  readonly dismissed?: readonly string[];
  /** In ms since the epoch. */
  readonly now: number;
}

/** How the fleet stands, in one word. off: nothing is known, because the core is not there. */
export type FleetMood = 'idle' | 'working' | 'needs' | 'trouble' | 'off';

/** The fleet at one moment. */
export interface FleetFigures {
  readonly mood: FleetMood;
  /** Items that need the operator. */
  readonly needs: number;
  /** Agents in all, and those with a process. */
  readonly agents: number;
  readonly alive: number;
  /** Agents by state; a state that nobody is in is missing. */
  readonly byStatus: Readonly<Partial<Record<AgentStatus, number>>>;
}

/** What wants the operator, newest first. */
export function attentionOf(input: AttentionInput): readonly AttentionItem[] {
  const dismissed = new Set(input.dismissed);
  const items = [
    ...questions(input),
    ...Object.values(input.enrolments ?? {}).flatMap((one) => applicant(one, input.now)),
    ...Object.values(input.agents).flatMap(trouble),
  ];
  return items
    .map((item) => ({ ...item, needsOperator: item.isAwaited && !dismissed.has(item.id) }))
    .sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
}

/** The fleet's figures. A question beats a failure: somebody waits for its answer. */
export function fleetOf(agents: Readonly<Record<string, AttentionAgent>>, items: readonly AttentionItem[]): FleetFigures {
  const byStatus: Partial<Record<AgentStatus, number>> = {};
  let alive = 0;
  for (const { state } of Object.values(agents)) {
    byStatus[state.status] = (byStatus[state.status] ?? 0) + 1;
    if (isAlive(state.status)) alive += 1;
  }
  const open = items.filter(({ needsOperator }) => needsOperator);
  const mood = open.some(({ kind }) => kind === 'question' || kind === 'applicant')
    ? 'needs'
    : open.length > 0
      ? 'trouble'
      : (byStatus.working ?? 0) + (byStatus.starting ?? 0) > 0
        ? 'working'
        : 'idle';
  return { mood, needs: open.length, agents: Object.keys(agents).length, alive, byStatus };
}

type Draft = Omit<AttentionItem, 'needsOperator'>;

function applicant({ id, wish, check, address, requestedAt, expiresAt }: EnrolmentRequest, now: number): Draft[] {
  if (expiresAt <= now) return [];
  return [
    {
      id: `applicant:${id}`,
      kind: 'applicant',
      agentId: '',
      messageId: null,
      title: `${wish.name} asks to join from outside`,
      detail: oneLine(`From ${address}, check ${check}. ${wish.note}`),
      at: requestedAt,
      isAwaited: true,
      canRestart: false,
    },
  ];
}

function questions(input: AttentionInput): Draft[] {
  return input.inbox.flatMap((message): Draft[] => {
    const isOpen =
      message.from.kind === 'agent' &&
      (message.kind === 'request' || message.kind === 'task') &&
      message.state !== 'read' &&
      (message.expiresAt ?? Infinity) > input.now &&
      input.answered?.has(message.id) !== true;
    if (!isOpen) return [];
    const ending = endingOf(ownEntry(input.agents, message.from.id));
    const verb =
      message.kind === 'request'
        ? ending === undefined
          ? 'asks'
          : 'asked you'
        : ending === undefined
          ? 'has a task for you'
          : 'had a task for you';
    return [
      {
        id: `question:${message.id}`,
        kind: 'question',
        agentId: message.from.id,
        messageId: message.id,
        title: `${message.from.id} ${verb}${ending === undefined ? '' : `, and ${ending}`}`,
        detail: oneLine(message.subject ?? message.body),
        at: message.sentAt,
        isAwaited: ending === undefined,
        canRestart: false,
      },
    ];
  });
}

/** Why nobody waits for the answer of an agent any more; undefined while it may. One that is lost may well live. */
function endingOf(agent: AttentionAgent | undefined): string | undefined {
  if (agent === undefined) return 'was removed';
  if (agent.state.status === 'stopped') return 'has stopped';
  return agent.state.status === 'failed' ? 'has failed' : undefined;
}

/** Whether the core paused an agent by itself; else somebody ordered it and knows. */
export function isHeld(state: AgentState): boolean {
  return state.status === 'paused' && state.evidence.source === 'runtime';
}

function heldItem(id: string, state: AgentState): Draft {
  return {
    id: `held:${id}:${state.since}`,
    kind: 'held',
    agentId: id,
    messageId: null,
    title: `${id} was paused`,
    detail: oneLine(state.evidence.detail),
    at: state.since,
    isAwaited: true,
    canRestart: false,
  };
}

function trouble(agent: AttentionAgent): Draft[] {
  const { id, state } = agent;
  if (state.status === 'paused' && isHeld(state)) return [heldItem(id, state)];
  if (state.status !== 'failed' && state.status !== 'lost') return [];
  return [
    {
      id: `${state.status}:${id}:${state.since}`,
      kind: state.status,
      agentId: id,
      messageId: null,
      title: state.status === 'failed' ? `${id} failed` : `${id} is lost`,
      detail: oneLine(state.reason),
      at: state.since,
      isAwaited: true,
      canRestart: !isExternal(agent),
    },
  ];
}

/** The text in one line, without the marks of code (a notification has one face), cut where it is too long. */
function oneLine(text: string): string {
  const line = text
    .replace(/```(?:\w*\n)?|`([^`\n]+)`/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= MAX_DETAIL_CHARS ? line : `${characters.slice(0, MAX_DETAIL_CHARS - 1).join('')}…`;
}
