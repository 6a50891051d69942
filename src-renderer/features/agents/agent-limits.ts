/** What an agent may use, and whether anything holds it to that. Pure. */
import { shortDuration } from '#renderer/ui/format-time.ts';
import type { Agent } from '#shared/agents/model.ts';

/** A limit in words. */
export interface LimitText {
  readonly name: string;
  readonly text: string;
}

/** The limits of an agent. On the host they are what was asked for: nothing enforces them. */
export function limitTexts({ config, boundary }: Pick<Agent, 'config' | 'boundary'>): readonly LimitText[] {
  const { cpu, memory, timeout } = config.resourceLimits;
  const held = boundary === 'host' ? ', recorded, not enforced' : '';
  return [
    { name: 'CPU', text: `${cpu} ${cpu === '1' ? 'core' : 'cores'}${held}` },
    { name: 'Memory', text: `${memory}${held}` },
    {
      name: config.type === 'worker' ? 'A task' : 'A run',
      text: timeout === 0 ? 'as long as it takes' : `at most ${shortDuration(timeout)}`,
    },
  ];
}
