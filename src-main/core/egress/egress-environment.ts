/** What a contained agent is told in its environment about how it reaches anything. Never a key. Pure. */
import type { Agent } from '#shared/agents/model.ts';
import type { ModelApi } from '#shared/egress/model.ts';
import { PLACEHOLDER_KEY } from '#shared/egress/model.ts';
import { RELAY_PORTS } from '#shared/gateway/places.ts';

const PROXY = `http://127.0.0.1:${RELAY_PORTS.proxy}`;
/** The relay's own ports: what is asked there is not to go through the proxy. */
const DIRECT = '127.0.0.1,localhost';

/** The environment of one agent; empty for one that is not contained, which reaches everything by itself. */
export function egressEnvironment(agent: Pick<Agent, 'boundary' | 'config'>, apis: readonly ModelApi[]): Record<string, string> {
  const { boundary, config } = agent;
  if (boundary === 'host') return {};
  const environment: Record<string, string> = {
    // Programs differ in which spelling they read.
    HTTP_PROXY: PROXY,
    HTTPS_PROXY: PROXY,
    http_proxy: PROXY,
    https_proxy: PROXY,
    NO_PROXY: DIRECT,
    no_proxy: DIRECT,
  };
  // Node's own fetch looks at the proxy only then. Where nothing is allowed, failing at once is the better answer.
  if (config.egress.rules.length > 0 || config.egress.mode === 'learn') environment['NODE_USE_ENV_PROXY'] = '1';
  for (const api of apis) {
    if (!config.modelApis.includes(api.name)) continue;
    environment[api.variable] = `http://127.0.0.1:${RELAY_PORTS.modelApi}/${api.name}`;
    if (api.placeholder !== undefined) environment[api.placeholder] = PLACEHOLDER_KEY;
  }
  return environment;
}
