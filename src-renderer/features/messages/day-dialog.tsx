import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { Dialog } from '#renderer/ui/dialog.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';

const DAY_MS = 86_400_000;

interface DayDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** Told the beginning of the chosen day in milliseconds since the epoch, in the time zone of the window. */
  readonly onPick: (at: number) => void;
  readonly onStart: () => void;
}

/** Where in the history to go: a day, or the very beginning. */
export function DayDialog({ isOpen, onClose, onPick, onStart }: DayDialogProps): ReactNode {
  const [today] = useState(() => Date.now());
  const [day, setDay] = useState(() => dayText(today));
  const at = new Date(`${day}T00:00`).getTime();
  const go = (then: () => void): void => {
    onClose();
    then();
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      size="small"
      title="Go to a day"
      footer={
        <>
          <Button look="quiet" onClick={() => go(onStart)}>
            First message
          </Button>
          <Button look="ink" type="submit" form="day-form" disabled={Number.isNaN(at)}>
            Go to this day
          </Button>
        </>
      }
    >
      <form
        id="day-form"
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!Number.isNaN(at)) go(() => onPick(at));
        }}
      >
        <TextField label="Day" type="date" value={day} max={dayText(today)} onChange={setDay} />
        <div className="flex flex-wrap gap-1.5">
          {[
            { text: 'Today', days: 0 },
            { text: 'Yesterday', days: 1 },
            { text: 'A week ago', days: 7 },
            { text: 'A month ago', days: 30 },
          ].map(({ text, days }) => (
            <Button key={text} size="small" onClick={() => setDay(dayText(today - days * DAY_MS))}>
              {text}
            </Button>
          ))}
        </div>
      </form>
    </Dialog>
  );
}

/** A day as date fields write it: "2026-11-21", in the time zone of the window. */
function dayText(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
