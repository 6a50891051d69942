/** The words of a configuration, as they are read. Pure. */
import type { Agent, ExternalFacts } from '#shared/agents/model.ts';
import { MISSED_HEARTBEATS } from '#shared/agents/model.ts';

type Config = Agent['config'];

/** Where it runs. */
export function runtimeText({
  type,
  runtime,
  sandbox,
}: Pick<Config, 'runtime' | 'sandbox'> & { readonly type?: Config['type'] }): string {
  if (type === 'external') return 'outside Quarterdeck, wherever it was started';
  if (runtime === 'docker') return 'in a container, outlives the app';
  const where = runtime === 'tmux' ? 'tmux, outlives the app' : 'plain terminal, ends with the app';
  return sandbox === 'bubblewrap' ? `${where}, in bubblewrap` : where;
}

/** How often one from outside is to call, and when it is missed. */
export function heartbeatText({ heartbeatMs }: ExternalFacts): string {
  return `every ${heartbeatMs / 1_000} s, lost after ${MISSED_HEARTBEATS} times as long`;
}

/** What of the project it sees. */
export const WORKSPACE_WORDS: Readonly<Record<Config['workspace']['mode'], string>> = {
  auto: 'a branch of its own in a git repository, else the folder itself',
  own: 'a branch of its own',
  shared: 'the project folder itself',
};

/** How it comes to its models. */
export const LOGIN_WORDS: Readonly<Record<Config['login'], string>> = {
  none: 'uses no model',
  'api-key': 'by a key that it never sees',
  subscription: 'logs in itself',
};
