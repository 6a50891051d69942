import { ShieldCheck, ShieldOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { Popover } from '#renderer/ui/popover.tsx';
import type { Agent } from '#shared/agents/model.ts';
import { Fact, Facts } from './panel-parts.tsx';
import { limitTexts } from './agent-limits.ts';
import { BOUNDARY_WORDS } from './status-look.ts';

/** What confines an agent, on a button that says the rest of it. */
export function AgentBoundary({ agent }: { readonly agent: Agent }): ReactNode {
  const isContained = agent.boundary !== 'host';
  const Shield = isContained ? ShieldCheck : ShieldOff;
  const { cpu, memory } = agent.config.resourceLimits;
  return (
    <Popover
      label={`Boundary of ${agent.id}`}
      align="end"
      trigger={
        <button
          type="button"
          aria-label={`Boundary: ${BOUNDARY_WORDS[agent.boundary]}`}
          className={`inline-flex h-7 min-w-0 flex-none items-center gap-1.5 rounded-2 border px-2.5 text-12 whitespace-nowrap hover:bg-bg-2 aria-expanded:bg-bg-2 ${
            isContained ? 'border-hair text-tx-2' : 'border-dashed border-hair-strong text-tx-1'
          }`}
        >
          <Shield aria-hidden className={`size-3.5 flex-none ${isContained ? 'text-st-working' : 'text-st-failed'}`} />
          {BOUNDARY_WORDS[agent.boundary]}
          {isContained ? (
            <span className="hidden wide:inline">
              · {cpu} CPU · {memory}
            </span>
          ) : null}
        </button>
      }
    >
      <div className="flex w-84 max-w-full flex-col gap-2.5">
        <h2 className="text-13 font-strong">{isContained ? 'Contained' : 'Not contained'}</h2>
        <p className="text-12 leading-[18px] text-pretty text-tx-2">{agent.boundaryNote}</p>
        <Facts>
          {limitTexts(agent).map(({ name, text }) => (
            <Fact key={name} name={name}>
              {text}
            </Fact>
          ))}
        </Facts>
      </div>
    </Popover>
  );
}
