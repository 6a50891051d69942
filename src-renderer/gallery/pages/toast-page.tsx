import type { ReactNode } from 'react';
import { useState } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import { Specimen } from '../specimen.tsx';

export function ToastPage(): ReactNode {
  const [answer, setAnswer] = useState('nothing yet');
  return (
    <Specimen title="Toasts">
      <div className="row">
        <Button
          onClick={() => showToast({ title: 'ada was paused.', actions: [{ text: 'Undo', onClick: () => setAnswer('undone') }] })}
        >
          Undoable
        </Button>
        <Button
          onClick={() =>
            showToast({
              tone: 'failed',
              title: 'e2e-nightly failed.',
              detail: 'Out of memory: killed at its limit of 4 GB, for the third time today.',
              actions: [
                { text: 'Open', onClick: () => setAnswer('opened') },
                { text: 'Restart', onClick: () => setAnswer('restarted') },
              ],
            })
          }
        >
          Failed
        </Button>
        <Button
          onClick={() =>
            showToast({
              id: 'checkout-ui',
              tone: 'needs',
              title: 'checkout-ui asks about the coupon field.',
              detail: 'Keep couponCode for v1 clients, or drop it?',
              actions: [
                { text: 'Keep', onClick: () => setAnswer('keep') },
                { text: 'Drop', onClick: () => setAnswer('drop') },
              ],
            })
          }
        >
          Needs you
        </Button>
        <Button onClick={() => showToast({ title: 'Copied.' })}>Short</Button>
        <p role="status">Answer: {answer}</p>
      </div>
    </Specimen>
  );
}
