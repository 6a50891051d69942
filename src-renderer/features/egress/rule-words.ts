/** Rules as they are typed and as they are read. Pure. */
import type { EgressConnection } from '#shared/egress/model.ts';
import { parseRule } from '#shared/egress/model.ts';

const USUAL: ReadonlyMap<string, string> = new Map([
  ['443', 'tls'],
  ['80', 'http'],
]);

/** What somebody means by an address as it is pasted: a rule as it is, a host, a host with its port, or a URL. May be none. */
export function completeRule(typed: string): string {
  const text = typed.trim().toLowerCase();
  const url = /^(https?):\/\/([^/?#@\s]+)(?:[/?#].*)?$/.exec(text);
  if (url !== null) {
    const [, scheme = '', place = ''] = url;
    const [host = '', port = scheme === 'https' ? '443' : '80'] = place.split(':');
    return `${host}:${port}:${scheme === 'https' ? 'tls' : 'http'}`;
  }
  const parts = text.split(':');
  const [host = '', port = '443'] = parts;
  if (host === '' || parts.length > 2) return text;
  return `${host}:${port}:${USUAL.get(port) ?? 'tcp'}`;
}

/** Why a text is no rule; undefined when it is one. */
export function ruleProblem(rule: string): string | undefined {
  if (parseRule(rule) !== undefined) return undefined;
  if (rule.startsWith('*.') ? rule.slice(2).includes('*') : rule.includes('*'))
    return 'A star stands only at the beginning, as in *.example.org, for every name below it.';
  return 'Write host:port:protocol, for example api.github.com:443:tls.';
}

const PROTOCOL_WORDS = { tls: 'encrypted', http: 'plain HTTP', tcp: 'any bytes' } as const;

/** What a rule lets through, in words. */
export function ruleText(rule: string): string {
  const parsed = parseRule(rule);
  if (parsed === undefined) return 'no rule';
  return `${parsed.host.startsWith('*.') ? 'every name below, ' : ''}${PROTOCOL_WORDS[parsed.protocol]}`;
}

/** How a connection ended, in a word. */
export const OUTCOME_WORDS: Readonly<Record<EgressConnection['outcome'], string>> = {
  open: 'open',
  closed: 'closed',
  refused: 'refused',
  failed: 'failed',
};
