import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { TextArea, TextField } from '#renderer/ui/text-field.tsx';
import type { StepDraft } from './chain-draft.ts';
import { helpOf, KIND_WORDS } from './step-words.ts';

interface StepEditorProps {
  readonly draft: StepDraft;
  readonly others: readonly StepDraft[];
  /** What is wrong with it; undefined when nothing is. */
  readonly problem: string | undefined;
  readonly onEdit: (changes: Partial<StepDraft>) => void;
}

/** The name and the data of a step, with what its schema says may stand there. */
export function StepEditor({ draft, others, problem, onEdit }: StepEditorProps): ReactNode {
  const help = useMemo(() => helpOf(draft.kind), [draft.kind]);
  const isTwice = others.some(({ key, id }) => key !== draft.key && id === draft.id);
  const ofName = problem?.startsWith('id: ') === true;
  return (
    <div className="flex flex-col gap-3 border-t border-hair px-3 py-3">
      <p className="text-12 text-tx-2">
        {KIND_WORDS[draft.kind].title}: {KIND_WORDS[draft.kind].does}.
      </p>
      <TextField
        label="Name"
        isCode
        value={draft.id}
        maxLength={63}
        onChange={(id) => onEdit({ id })}
        hint="Senders are told it when it refuses their message."
        error={isTwice ? 'Another step has this name.' : ofName ? problem.slice(4) : undefined}
        className="max-w-72"
      />
      <TextArea
        label="Data"
        isCode
        rows={Math.min(14, Math.max(4, draft.text.split('\n').length))}
        value={draft.text}
        onChange={(text) => onEdit({ text })}
        hint="JSON. It holds when the steps are saved."
        error={ofName ? undefined : problem}
      />
      <section aria-label={`What the data of ${KIND_WORDS[draft.kind].title} may hold`} className="text-12">
        <h3 className="mb-1 font-strong">What may stand there</h3>
        <dl className="grid grid-cols-[minmax(0,max-content)_minmax(0,1fr)] gap-x-4 gap-y-1">
          {help.map(({ name, isRequired, type, description }) => (
            <div key={name} className="col-span-2 grid grid-cols-subgrid">
              <dt>
                <code className="font-code text-tx-1">{name}</code>
                {isRequired ? <span className="text-tx-3"> needed</span> : null}
              </dt>
              <dd className="min-w-0 break-words text-tx-2">
                <code className="font-code text-tx-3">{type}</code>
                {description === undefined ? null : <span className="block text-pretty">{description}</span>}
              </dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}
