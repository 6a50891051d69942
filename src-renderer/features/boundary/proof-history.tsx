import { useState } from 'react';
import type { ReactNode } from 'react';
import { useAsked } from '#renderer/store/use-asked.ts';
import { Button } from '#renderer/ui/button.tsx';
import { PanelSection } from '#renderer/ui/panel.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { Agent } from '#shared/agents/model.ts';
import { countText } from './proof-words.ts';

/** So many proofs are listed: one for each start. */
const LISTED = 20;

/** The proofs of an agent, the newest first; asked for only when somebody wants to see them. */
export function ProofHistory({ agent }: { readonly agent: Agent }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <PanelSection title="Earlier proofs">
      {isOpen ? (
        <ProofList agent={agent} />
      ) : (
        <div className="flex items-center gap-3">
          <p className="min-w-0 flex-1 text-12 text-pretty text-tx-3">Each start and each trial in a twin is kept.</p>
          <Button size="small" onClick={() => setOpen(true)}>
            Show them
          </Button>
        </div>
      )}
    </PanelSection>
  );
}

function ProofList({ agent: { id } }: { readonly agent: Agent }): ReactNode {
  const { answer, problem } = useAsked(`proofs ${id}`, (client) => client.boundary.proofs({ id, limit: LISTED }), {
    isChangedBy: ({ kind, subject }) => subject === id && (kind === 'boundary.proved' || kind === 'boundary.failed'),
  });
  if (answer === undefined) return problem === undefined ? null : <p className="text-12 text-st-failed">{problem}</p>;
  if (answer.proofs.length === 0) return <p className="text-12 text-tx-3">There is none: it was never started in a box.</p>;
  return (
    <ul aria-label="Earlier proofs" className="rounded-2 border border-hair">
      {answer.proofs.map((proof) => (
        <li key={proof.id} className="border-b border-hair px-2.5 py-1 text-12 last:border-b-0">
          <p className="flex items-baseline gap-2">
            <span className="min-w-0 flex-1">{proof.kind === 'launch' ? 'Before a start' : 'In a twin'}</span>
            <span className={proof.holds ? 'text-tx-2' : 'text-st-failed'}>{countText(proof)}</span>
            <RelativeTime at={proof.at} className="text-tx-3" />
          </p>
          {proof.problem === null ? null : (
            <p className="text-pretty [overflow-wrap:anywhere] text-st-failed">{visibleText(proof.problem)}</p>
          )}
        </li>
      ))}
    </ul>
  );
}
