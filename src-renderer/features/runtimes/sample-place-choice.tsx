import { useId } from 'react';
import type { ReactNode } from 'react';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import type { SamplePlace } from './sample-place.ts';

interface SamplePlaceChoiceProps {
  readonly place: SamplePlace;
  readonly isContained: boolean;
  readonly onChange: (isContained: boolean) => void;
}

/** Containers or this machine, with what the choice means. */
export function SamplePlaceChoice({ place, isContained, onChange }: SamplePlaceChoiceProps): ReactNode {
  const id = useId();
  return (
    <div role="group" aria-describedby={id} className="flex flex-col gap-0.5">
      <Checkbox label="In containers" checked={isContained} disabled={!place.canContain} onChange={onChange} />
      <p id={id} className="text-12 text-pretty text-tx-3">
        {isContained || !place.canContain ? place.contained : place.host}
      </p>
    </div>
  );
}
