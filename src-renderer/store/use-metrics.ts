import { useEffect } from 'react';
import { useStore } from 'zustand';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { AgentSamples } from './metrics-feed.ts';
import { useSession } from './session-context.tsx';

/** Keeps the samples of all agents fresh while the component is mounted. */
export function useFreshMetrics(): void {
  const { metrics } = useSession();
  useEffect(() => {
    const watch = metrics.watch();
    return () => watch.dispose();
  }, [metrics]);
}

/** What an agent used lately; undefined when nothing was measured. */
export function useSamples(agentId: string): AgentSamples | undefined {
  return useStore(useSession().metrics.store, ({ samples }) => ownEntry(samples, agentId));
}
