import { Shield, ShieldCheck, ShieldOff, ShieldX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from '#renderer/navigation/use-route.tsx';
import type { Agent } from '#shared/agents/model.ts';
import type { BoundaryProofState } from './boundary-look.ts';
import { boundaryLook } from './boundary-look.ts';

/** Shape and tone by what is known: a shield with a mark, an empty one, a crossed one, and one that is struck out. */
const SHIELDS: Readonly<Record<BoundaryProofState, { readonly icon: typeof Shield; readonly tone: string }>> = {
  held: { icon: ShieldCheck, tone: 'text-st-working' },
  open: { icon: Shield, tone: 'text-tx-3' },
  broken: { icon: ShieldX, tone: 'text-st-failed' },
  none: { icon: ShieldOff, tone: 'text-st-failed' },
};

interface BoundaryBadgeProps {
  readonly agent: Agent;
  /** frame: a button in a header. plain: a line on a card or in a row. */
  readonly look?: 'plain' | 'frame';
  /** 0 where Tab leads to its agent, else -1. */
  readonly tabIndex?: number;
}

/** What confines an agent, what it reaches, and whether that was proved. Leads to the page that shows it. */
export function BoundaryBadge({ agent, look = 'plain', tabIndex }: BoundaryBadgeProps): ReactNode {
  const { word, network, proof, proofText } = boundaryLook(agent);
  const { icon: Icon, tone } = SHIELDS[proof];
  const { cpu, memory } = agent.config.resourceLimits;
  const isFrame = look === 'frame';
  const frame = isFrame
    ? `h-7 flex-none rounded-2 border px-2.5 text-12 hover:bg-bg-2 ${proof === 'none' ? 'border-dashed border-hair-strong' : 'border-hair-strong'}`
    : 'relative z-1 rounded-1 hover:underline';
  return (
    <Link
      to={{ page: 'agent', id: agent.id, tab: 'boundary' }}
      title={`${agent.boundaryNote} ${proofText}`}
      aria-label={`Boundary of ${agent.id}: ${word}${network === undefined ? '' : `, ${network}`}. ${proofText}`}
      tabIndex={tabIndex}
      draggable={false}
      className={`inline-flex max-w-full min-w-0 items-center gap-1.5 whitespace-nowrap ${proof === 'none' || proof === 'broken' ? 'text-tx-1' : 'text-tx-2'} ${frame}`}
    >
      <Icon aria-hidden className={`size-3.5 flex-none ${tone}`} />
      <span className="truncate">
        {word}
        {network === undefined ? null : ` · ${network}`}
        {isFrame && proof !== 'none' ? (
          <span className="hidden wide:inline">
            {' '}
            · {cpu} CPU · {memory}
          </span>
        ) : null}
      </span>
    </Link>
  );
}
