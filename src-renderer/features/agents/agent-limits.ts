/** What an agent may use. How it is held to that stands on its boundary page. Pure. */
import { shortDuration } from '#renderer/ui/format-time.ts';
import type { Agent } from '#shared/agents/model.ts';

/** A limit in words. */
export interface LimitText {
  readonly name: string;
  readonly text: string;
}

/** The limits of an agent, as they were asked for; none of one from outside, whom nothing here holds. */
export function limitTexts({ config }: Pick<Agent, 'config'>): readonly LimitText[] {
  if (config.type === 'external') return [];
  const { cpu, memory, timeout, processes, disk } = config.resourceLimits;
  return [
    { name: 'CPU', text: `${cpu} ${cpu === '1' ? 'core' : 'cores'}` },
    { name: 'Memory', text: memory },
    { name: 'Processes', text: `${processes} at once` },
    { name: 'Disk', text: disk },
    {
      name: config.type === 'worker' ? 'A task' : 'A run',
      text: timeout === 0 ? 'as long as it takes' : `at most ${shortDuration(timeout)}`,
    },
  ];
}
