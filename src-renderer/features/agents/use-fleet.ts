/** The fleet as its screen shows it: agents with their questions, filtered, counted, in a settled order. */
import { useMemo, useState } from 'react';
import { useAgents } from '#renderer/store/project-scope.ts';
import { useOpenQuestions } from '#renderer/store/use-attention.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import type { FleetAgent, FleetQuestion } from './fleet-agent.ts';
import type { FleetGroup } from './fleet-order.ts';
import { orderFleet } from './fleet-order.ts';
import { countGroups, matches, parseQuery, withoutStates } from './fleet-query.ts';
import { Kept } from './kept.ts';
import { answersOf } from './question-answers.ts';

/** How often times are looked at again, in milliseconds: idle agents lose their place. */
const LOOK_EVERY_MS = 5_000;

/** What the screen shows. */
export interface Fleet {
  /** Agents of the project that match, in the order they should have. */
  readonly rows: readonly FleetAgent[];
  readonly byId: ReadonlyMap<string, FleetAgent>;
  /** Of each group, how many match all of the query but what it says about states. */
  readonly counts: Readonly<Record<FleetGroup, number>>;
  /** How many these are together. */
  readonly matching: number;
  /** Agents of the project. */
  readonly total: number;
}

function questionOf(message: InboxMessage, more: number): FleetQuestion {
  return {
    messageId: message.id,
    subject: message.subject,
    body: message.body,
    answers: answersOf(message.data),
    at: message.sentAt,
    expiresAt: message.expiresAt ?? null,
    more,
  };
}

/** The oldest open question of each agent; the same object as before while it is the same question. */
function useQuestions(): ReadonlyMap<string, FleetQuestion> {
  const open = useOpenQuestions();
  const [kept] = useState(
    () =>
      new Kept<[string, FleetQuestion]>(
        ([id]) => id,
        ([, a], [, b]) => a.messageId === b.messageId && a.more === b.more,
      ),
  );
  return useMemo(() => {
    const next = new Map<string, FleetQuestion>();
    // The oldest is the one to answer first; an agent that has ended waits for none.
    for (const { item, message } of open) {
      if (!item.needsOperator) continue;
      const first = next.get(item.agentId);
      next.set(item.agentId, first === undefined ? questionOf(message, 0) : { ...first, more: first.more + 1 });
    }
    return new Map(kept.renew([...next]));
  }, [open, kept]);
}

/** The fleet of the project that is shown, narrowed by a query. */
export function useFleet(query: string): Fleet {
  const agents = useAgents();
  const questions = useQuestions();
  const now = useNow(LOOK_EVERY_MS);
  const [kept] = useState(
    () =>
      new Kept<FleetAgent>(
        (row) => row.agent.id,
        (a, b) => a.agent === b.agent && a.question === b.question,
      ),
  );

  const all = useMemo(
    () => kept.renew(agents.map((agent): FleetAgent => ({ agent, question: questions.get(agent.id) }))),
    [agents, questions, kept],
  );

  const byId = useMemo(() => new Map<string, FleetAgent>(all.map((row) => [row.agent.id, row])), [all]);

  return useMemo(() => {
    const terms = parseQuery(query);
    const otherTerms = parseQuery(withoutStates(query));
    const matching = all.filter((row) => matches(row, otherTerms));
    return {
      rows: orderFleet(
        matching.filter((row) => matches(row, terms)),
        now,
      ),
      byId,
      counts: countGroups(matching),
      matching: matching.length,
      total: all.length,
    };
  }, [all, byId, query, now]);
}
