import { Check, KeyRound } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import type { ModelApiInfo } from './use-model-apis.ts';

interface KeyFieldProps {
  readonly api: ModelApiInfo;
  /** The key is kept: what was known is old. */
  readonly onStored: () => void;
}

/** Whether the key of a model API is kept, and the way to keep one. It is never shown again, and never gets into a box. */
export function KeyField({ api, onStored }: KeyFieldProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [isOpen, setOpen] = useState(false);
  const [value, setValue] = useState('');
  const close = (): void => {
    setOpen(false);
    setValue('');
    command.dismiss();
  };
  const store = (): void => {
    if (value.trim() === '') return;
    command.run(
      () => session.client.secrets.set({ name: api.secret, value: value.trim() }),
      () => {
        close();
        onStored();
        showToast({ title: `The key of ${api.name} is kept.`, detail: 'Encrypted, as a secret. It is not shown again.' });
      },
    );
  };
  if (!isOpen)
    return (
      <span className="flex flex-wrap items-center gap-x-2 gap-y-1 text-12">
        {api.hasKey ? (
          <span className="inline-flex items-center gap-1 text-tx-2">
            <Check aria-hidden className="size-3.5 text-st-working" />
            key stored
          </span>
        ) : (
          <span className="text-tx-1">no key</span>
        )}
        <Button
          size="small"
          look={api.hasKey ? 'quiet' : 'outline'}
          icon={<KeyRound aria-hidden className="size-3" />}
          aria-label={`${api.hasKey ? 'Replace' : 'Store'} the key of ${api.name}`}
          onClick={() => setOpen(true)}
        >
          {api.hasKey ? 'Replace' : 'Store it'}
        </Button>
      </span>
    );
  return (
    <div className="flex min-w-0 flex-1 basis-full flex-wrap items-start gap-2">
      <TextField
        label={`Key of ${api.name}`}
        isLabelHidden
        type="password"
        autoComplete="off"
        autoFocus
        isCode
        value={value}
        onChange={setValue}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.stopPropagation();
            close();
          }
          if (event.key !== 'Enter') return;
          event.preventDefault();
          event.stopPropagation();
          store();
        }}
        placeholder={api.secret}
        error={command.problem}
        hint={`Kept encrypted as ${api.secret}. The gateway adds it outside: the agent never sees it.`}
        className="min-w-48 flex-1"
      />
      <Button disabled={value.trim() === '' || command.isRunning} onClick={store}>
        Store
      </Button>
      <Button look="quiet" onClick={close}>
        Cancel
      </Button>
    </div>
  );
}
