/** Finds the rule that lets a connection through. Pure. */
import type { EgressProtocol, ParsedRule } from '#shared/egress/model.ts';
import { coversHost, parseRule } from '#shared/egress/model.ts';
import type { AskedTarget } from './addresses.ts';
import { canBeNamedByRule, parseHost } from './addresses.ts';

/** Which kind of request asks: a tunnel (CONNECT), or one HTTP request. */
export type Asking = 'connect' | 'http';

/** A rule of an agent. */
export interface AgentRule extends ParsedRule {
  /** As it was written. */
  readonly text: string;
}

/** The rule that holds, or why none does and which protocol is to be named in the log. */
export type RuleVerdict =
  | { readonly ok: true; readonly rule: AgentRule }
  | { readonly ok: false; readonly protocol: EgressProtocol; readonly reason: string };

/** Ports on which TLS is spoken from the first byte, as far as a proposal of a rule has to guess it. */
const TLS_PORTS: ReadonlySet<number> = new Set([443, 465, 636, 853, 989, 990, 992, 993, 995, 5061, 5671, 6443, 8443, 8883, 9443]);

/** The rules as they are used; what is no rule is left out, so that nothing is allowed by it. */
export function readRules(texts: readonly string[]): AgentRule[] {
  return texts.flatMap((text) => {
    const parsed = parseRule(text);
    return parsed === undefined ? [] : [{ ...parsed, text }];
  });
}

/** Which rule lets an agent connect there. tcp rules allow any bytes and so both kinds; tls only tunnels, http only requests. */
export function findRule(rules: readonly AgentRule[], target: AskedTarget, asking: Asking): RuleVerdict {
  const fitting: EgressProtocol = asking === 'http' ? 'http' : 'tls';
  const here = rules.filter((rule) => rule.port === target.port && coversTarget(rule, target));
  const rule =
    here.find(({ protocol }) => protocol === 'tcp') ??
    here.find(({ protocol }) => protocol === fitting && target.kind === 'name');
  if (rule !== undefined) return { ok: true, rule };
  const isPlain = target.kind !== 'name' || (asking === 'connect' && !TLS_PORTS.has(target.port));
  const protocol = isPlain ? 'tcp' : fitting;
  if (here.length === 0) return { ok: false, protocol, reason: 'no rule allows it' };
  if (target.kind !== 'name')
    return { ok: false, protocol: 'tcp', reason: 'addresses can be allowed for tcp only; use the name' };
  return asking === 'connect'
    ? { ok: false, protocol, reason: 'the rule allows plain HTTP there, and no tunnel (CONNECT)' }
    : { ok: false, protocol, reason: 'the rule allows TLS there, and no plain HTTP' };
}

/** Whether a rule names exactly this address, and may: then it is connected to although it is not public. */
export function isNamedAddress(rule: AgentRule, target: AskedTarget): boolean {
  return target.kind !== 'name' && rule.protocol === 'tcp' && rule.host === target.text && canBeNamedByRule(target.text);
}

function coversTarget(rule: AgentRule, target: AskedTarget): boolean {
  if (target.kind !== 'name') return rule.host === target.text;
  const asked = parseHost(rule.host.replace(/^\*\./, ''));
  return asked.ok && asked.value.kind === 'name' && coversHost(rule.host, target.text);
}
