import { ArrowDown, ArrowUp, ChevronRight, GripVertical, X } from 'lucide-react';
import { useId, useRef } from 'react';
import type { ReactNode } from 'react';
import { IconButton } from '#renderer/ui/button.tsx';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import type { StepCounters } from '#shared/middleware/model.ts';
import type { StepDraft } from './chain-draft.ts';
import { readStep } from './chain-draft.ts';
import { StepEditor } from './step-editor.tsx';
import { KIND_WORDS, summaryOf } from './step-words.ts';

interface StepRowProps {
  readonly draft: StepDraft;
  /** Its place, counted from 0, of so many. */
  readonly at: number;
  readonly count: number;
  readonly others: readonly StepDraft[];
  /** What it did; undefined while the chain is edited. */
  readonly counters: StepCounters | undefined;
  readonly isOpen: boolean;
  readonly isDragged: boolean;
  readonly onToggle: () => void;
  readonly onEdit: (changes: Partial<StepDraft>) => void;
  readonly onMove: (way: 'up' | 'down') => void;
  readonly onRemove: () => void;
  /** Its handle is dragged; undefined: it was let go. */
  readonly onDrag: (key: string | undefined) => void;
  readonly onDropHere: () => void;
}

/** What a step did since the core started or the chain was changed: only what is not nothing. */
function countersText({ seen, changed, refused, failed, redacted }: StepCounters): string {
  const parts = [
    [seen, 'seen'],
    [changed, 'changed'],
    [redacted, 'redacted'],
    [refused, 'refused'],
    [failed, 'failed'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count.toLocaleString('en-GB')} ${word}`)
    .join(', ');
}

/** A step of the chain: what it is and does, its switch, its place, and its data when it is opened. */
export function StepRow(props: StepRowProps): ReactNode {
  const { draft, at, count, others, counters, isOpen, isDragged, onToggle, onEdit, onMove, onRemove, onDrag, onDropHere } = props;
  const id = useId();
  const row = useRef<HTMLLIElement>(null);
  const read = readStep(draft);
  const { title, does } = KIND_WORDS[draft.kind];
  const did = counters === undefined ? '' : countersText(counters);
  return (
    <li
      ref={row}
      data-step={draft.key}
      className={`border-b border-hair last:border-b-0 ${isDragged ? 'bg-select' : ''}`}
      onKeyDown={(event) => {
        const way = { ArrowUp: 'up', ArrowDown: 'down' }[event.key];
        if (!event.altKey || (way !== 'up' && way !== 'down') || event.target instanceof HTMLTextAreaElement) return;
        event.preventDefault();
        onMove(way);
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onDropHere();
      }}
    >
      <div className="flex min-h-12 flex-wrap items-center gap-x-2 gap-y-1 px-2 py-1.5">
        <span
          aria-hidden
          draggable
          title="Drag to another place"
          onDragStart={(event) => {
            event.dataTransfer.setData('text/plain', draft.id);
            event.dataTransfer.effectAllowed = 'move';
            if (row.current !== null) event.dataTransfer.setDragImage(row.current, 12, 20);
            onDrag(draft.key);
          }}
          onDragEnd={() => onDrag(undefined)}
          className="flex h-6 w-4 flex-none cursor-grab items-center justify-center text-tx-3"
        >
          <GripVertical className="size-3.5" />
        </span>
        <Checkbox label={`${draft.id} is on`} isLabelHidden checked={draft.isOn} onChange={(isOn) => onEdit({ isOn })} />
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={`${id}-editor`}
          onClick={onToggle}
          className="group/step flex min-w-0 flex-1 basis-48 items-center gap-2 rounded-1 text-left"
        >
          <ChevronRight aria-hidden className={`size-3.5 flex-none text-tx-3 ${isOpen ? 'rotate-90' : ''}`} />
          <span className="min-w-0 flex-1">
            <span className="flex min-w-0 flex-wrap items-baseline gap-x-2 text-13">
              <strong className={`min-w-0 break-words ${draft.isOn ? 'font-medium text-tx-1' : 'font-regular text-tx-3'}`}>
                {draft.id === '' ? 'without a name' : draft.id}
              </strong>
              {draft.id === draft.kind ? null : <span className="text-12 text-tx-3">{title}</span>}
              {draft.isOn ? null : <span className="text-12 text-tx-3">off</span>}
            </span>
            <span className={`block text-12 text-pretty break-words ${read.ok ? 'text-tx-2' : 'text-st-failed'}`}>
              {read.ok ? summaryOf(read.step) : 'something in it is wrong'}
            </span>
            {did === '' ? null : <span className="figures block text-12 text-tx-3">{did}</span>}
          </span>
          <span className="sr-only">, {does}</span>
        </button>
        <span className="ml-auto flex flex-none items-center">
          <IconButton
            size="small"
            data-move="up"
            label={`Move ${draft.id} up`}
            disabled={at === 0}
            icon={<ArrowUp aria-hidden className="size-3.5" />}
            onClick={() => onMove('up')}
          />
          <IconButton
            size="small"
            data-move="down"
            label={`Move ${draft.id} down`}
            disabled={at === count - 1}
            icon={<ArrowDown aria-hidden className="size-3.5" />}
            onClick={() => onMove('down')}
          />
          <IconButton
            size="small"
            label={`Remove ${draft.id}`}
            icon={<X aria-hidden className="size-3.5" />}
            onClick={onRemove}
          />
        </span>
      </div>
      <div id={`${id}-editor`}>
        {isOpen ? (
          <StepEditor draft={draft} others={others} problem={read.ok ? undefined : read.problem} onEdit={onEdit} />
        ) : null}
      </div>
    </li>
  );
}
