import { Play } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import type { Command } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';

interface StartSampleProps {
  /** Shared by every place that offers this, so that one start is one start. */
  readonly command: Command;
  readonly look: 'ink' | 'outline';
  readonly onStarted: (firstAgentId: string | undefined) => void;
}

/** Starts the sample crew: three workers that survey a small repository together, without a model or keys. */
export function StartSample({ command, look, onStarted }: StartSampleProps): ReactNode {
  const session = useSession();
  const start = async (): Promise<void> => {
    const up = await session.client.teams.sample({ asksOperator: true });
    onStarted(up.agents[0]?.id);
  };
  return (
    <Button
      look={look}
      disabled={command.isRunning}
      icon={<Play aria-hidden className="size-3.5" />}
      onClick={() => command.run(start)}
    >
      {command.isRunning ? 'Starting the sample crew' : 'Start the sample crew'}
    </Button>
  );
}
