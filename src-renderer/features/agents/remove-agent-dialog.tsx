import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Dialog } from '#renderer/ui/dialog.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import type { AgentId } from '#shared/kernel/ids.ts';

interface RemoveAgentDialogProps {
  readonly agentId: AgentId;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onRemoved: () => void;
}

/** Removes an agent for good. It cannot be undone, so the name has to be typed. */
export function RemoveAgentDialog({ agentId, isOpen, onClose, onRemoved }: RemoveAgentDialogProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [typed, setTyped] = useState('');
  const close = (): void => {
    setTyped('');
    command.dismiss();
    onClose();
  };
  const remove = (): void => {
    if (typed !== agentId || command.isRunning) return;
    command.run(() => session.client.agents.remove({ id: agentId }), onRemoved);
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      size="small"
      title={`Remove ${agentId}?`}
      description="Its messages and its place in the journal stay. Its terminal goes, and its name is never used again. This cannot be undone."
      footer={
        <>
          <Button onClick={close}>Keep it</Button>
          <Button look="danger" disabled={typed !== agentId || command.isRunning} onClick={remove}>
            Remove {agentId}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          remove();
        }}
      >
        <TextField
          label={`Type “${agentId}” to remove it`}
          value={typed}
          onChange={setTyped}
          isCode
          autoFocus
          error={command.problem}
        />
      </form>
    </Dialog>
  );
}
