import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { Dialog } from '#renderer/ui/dialog.tsx';
import { Menu, MenuItem } from '#renderer/ui/menu.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import { Specimen } from '../specimen.tsx';

export function DialogPage(): ReactNode {
  const [open, setOpen] = useState<'small' | 'normal' | 'wide'>();
  const [name, setName] = useState('');
  const [answer, setAnswer] = useState('nothing yet');
  const close = (): void => setOpen(undefined);
  return (
    <Specimen title="Dialogs">
      <div className="row">
        <Button onClick={() => setOpen('small')}>Delete…</Button>
        <Button onClick={() => setOpen('normal')}>New agent…</Button>
        <Button onClick={() => setOpen('wide')}>Read on…</Button>
        <Menu label="Actions" trigger={<Button>From a menu</Button>}>
          <MenuItem onSelect={() => setOpen('normal')}>New agent…</MenuItem>
        </Menu>
        <p role="status">Answer: {answer}</p>
      </div>
      <Dialog
        isOpen={open === 'small'}
        onClose={close}
        size="small"
        title="Delete ledger-migrate"
        description="Its terminal, its settings and its home folder go. Messages and the audit trail stay. This cannot be undone."
        footer={
          <>
            <Button size="large" onClick={close}>
              Cancel
            </Button>
            <Button size="large" look="danger" disabled={name !== 'ledger-migrate'} onClick={close}>
              Delete the agent
            </Button>
          </>
        }
      >
        <TextField label="Write its name to go on" isCode value={name} onChange={setName} autoFocus />
      </Dialog>
      <Dialog
        isOpen={open === 'normal'}
        onClose={close}
        title="New agent"
        footer={
          <>
            <Button
              look="quiet"
              size="large"
              onClick={() => showToast({ title: 'Checked.', actions: [{ text: 'Undo', onClick: () => setAnswer('undone') }] })}
            >
              Check
            </Button>
            <Button size="large" onClick={close}>
              Cancel
            </Button>
            <Button size="large" look="ink" onClick={close}>
              Start
            </Button>
          </>
        }
      >
        <div className="stack" style={{ maxWidth: 'none' }}>
          <TextField label="Name" value={name} onChange={setName} />
          <TextField label="Folder" isCode value="~/code/harbor-pay" onChange={() => undefined} />
        </div>
      </Dialog>
      <Dialog isOpen={open === 'wide'} onClose={close} size="wide" title="What happened to e2e-nightly">
        <div className="stack" style={{ maxWidth: '74ch' }}>
          {Array.from({ length: 30 }, (_, line) => (
            <p key={line}>Paragraph {line + 1}: the agent was killed at its limit of 4 GB, for the third time today.</p>
          ))}
        </div>
      </Dialog>
    </Specimen>
  );
}
