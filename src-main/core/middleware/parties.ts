/** Who writes to whom, in the terms of patterns. Pure. */
import type { z } from 'zod';
import type { MessageKind } from '#shared/messages/model.ts';
import type { When } from '#shared/middleware/model.ts';
import { ANY_WORD, ANY_WORDS, wordsOf } from '#shared/topics/model.ts';

/** What patterns ask of an agent. */
export interface AgentParty {
  readonly kind: 'agent';
  readonly id: string;
  readonly template: string | null;
  readonly capabilities: readonly string[];
}
/** Who sends. */
export type SenderParty = AgentParty | { readonly kind: 'operator' | 'system' | 'token'; readonly id: string };
/** Who gets it: an inbox, or a topic, whose subscribers chose it themselves. */
export type RecipientParty = AgentParty | { readonly kind: 'operator' | 'topic'; readonly id: string };

/** What patterns ask of a message. */
export interface MessageFacts {
  readonly sender: SenderParty;
  readonly recipients: readonly RecipientParty[];
  readonly kind: z.infer<typeof MessageKind>;
  readonly topic: string | null;
}

/** Whether a text is what a pattern says, in which `*` stands for any characters, also none. Takes linear time in practice: pieces are looked for once, from left to right. */
export function matchesGlob(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** Whether a topic is what a pattern says: `*` is one word, `#` none or more. */
export function matchesTopic(pattern: string, topic: string): boolean {
  const words = wordsOf(topic);
  // Which numbers of words, from the left, the pattern so far can stand for.
  let reached = new Set([0]);
  for (const part of wordsOf(pattern)) {
    const next = new Set<number>();
    for (const count of reached) {
      if (part === ANY_WORDS) for (let to = count; to <= words.length; to += 1) next.add(to);
      else if (count < words.length && (part === ANY_WORD || part === words[count])) next.add(count + 1);
    }
    reached = next;
  }
  return reached.has(words.length);
}

function matchesAgent(pattern: string, agent: AgentParty): boolean {
  const colon = pattern.indexOf(':');
  if (colon < 0) return matchesGlob(pattern, agent.id);
  const name = pattern.slice(colon + 1);
  if (pattern.startsWith('capability:')) return agent.capabilities.includes(name);
  return pattern.startsWith('template:') && agent.template === name;
}

/** Whether a pattern means this sender. */
export function matchesSender(pattern: string, sender: SenderParty): boolean {
  if (pattern === '*') return true;
  if (sender.kind === 'agent') return matchesAgent(pattern, sender);
  if (sender.kind === 'token') return pattern.startsWith('token:') && matchesGlob(pattern.slice(6), sender.id);
  return pattern === sender.kind;
}

/** Whether a pattern means this recipient. */
export function matchesRecipient(pattern: string, recipient: RecipientParty): boolean {
  if (pattern === '*') return true;
  if (recipient.kind === 'agent') return matchesAgent(pattern, recipient);
  if (recipient.kind === 'topic') return pattern.startsWith('topic:') && matchesTopic(pattern.slice(6), recipient.id);
  return pattern === 'operator';
}

/** Whether a step looks at a message. */
export function looksAt(when: When | undefined, facts: MessageFacts): boolean {
  if (when === undefined) return true;
  const { from, to, kinds, topics } = when;
  const { topic } = facts;
  return (
    (from === undefined || from.some((pattern) => matchesSender(pattern, facts.sender))) &&
    (to === undefined || facts.recipients.some((one) => to.some((pattern) => matchesRecipient(pattern, one)))) &&
    (kinds === undefined || kinds.includes(facts.kind)) &&
    (topics === undefined || (topic !== null && topics.some((pattern) => matchesTopic(pattern, topic))))
  );
}

/** A sender in words: agent "ada". */
export function senderName(sender: SenderParty): string {
  if (sender.kind === 'agent') return `agent "${sender.id}"`;
  if (sender.kind === 'token') return `token "${sender.id}"`;
  return sender.kind === 'operator' ? 'the operator' : 'the core';
}

/** A recipient in words. */
export function recipientName(recipient: RecipientParty): string {
  if (recipient.kind === 'agent') return `agent "${recipient.id}"`;
  return recipient.kind === 'operator' ? 'the operator' : `topic "${recipient.id}"`;
}
