import type { ReactNode } from 'react';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { KeyField } from './key-field.tsx';
import { useModelApis } from './use-model-apis.ts';

interface ModelApiChoiceProps {
  /** Names of those that it may use. */
  readonly chosen: readonly string[];
  readonly onChange: (names: readonly string[]) => void;
  readonly isBusy?: boolean;
  readonly error?: string | undefined;
}

/** The model APIs that an agent may use, each with the state of its key. */
export function ModelApiChoice({ chosen, onChange, isBusy = false, error }: ModelApiChoiceProps): ReactNode {
  const { answer, problem, ask } = useModelApis();
  if (answer === undefined)
    return problem === undefined ? (
      <SkeletonText lines={2} />
    ) : (
      <p role="alert" className="text-12 text-st-failed">
        The model APIs are not known. {problem}
      </p>
    );
  const unknown = chosen.filter((name) => !answer.some((api) => api.name === name));
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <ul aria-label="Model APIs" className="rounded-2 border border-hair-strong bg-bg-0">
        {answer.map((api) => {
          const isChosen = chosen.includes(api.name);
          return (
            <li
              key={api.name}
              className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-hair px-2.5 py-1 last:border-b-0"
            >
              <Checkbox
                label={api.name}
                checked={isChosen}
                disabled={isBusy}
                onChange={(next) => onChange(next ? [...chosen, api.name] : chosen.filter((name) => name !== api.name))}
              />
              <span className="font-code min-w-0 flex-1 basis-28 truncate text-12 text-tx-3" title={api.upstream}>
                {api.upstream.replace(/^https?:\/\//, '')}
              </span>
              <KeyField api={api} onStored={ask} />
            </li>
          );
        })}
        {unknown.map((name) => (
          <li key={name} className="flex min-h-9 items-center gap-3 border-b border-hair px-2.5 py-1 last:border-b-0">
            <Checkbox label={name} checked disabled={isBusy} onChange={() => onChange(chosen.filter((each) => each !== name))} />
            <span className="text-12 text-st-failed">not among the model APIs any more</span>
          </li>
        ))}
      </ul>
      {error === undefined ? null : (
        <p role="alert" className="text-12 text-st-failed">
          {error}
        </p>
      )}
    </div>
  );
}
