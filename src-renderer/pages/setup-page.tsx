import type { ReactNode } from 'react';
import { StartSample } from '#renderer/features/agents/start-sample.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { EmptyState } from '#renderer/ui/empty-state.tsx';

/** The way to the first agent. */
export function SetupPage(): ReactNode {
  const sample = useCommand();
  return (
    <EmptyState title="No agents yet">
      <StartSample look="ink" command={sample} onStarted={() => undefined} />
    </EmptyState>
  );
}
