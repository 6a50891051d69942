import { memo } from 'react';
import type { ReactNode } from 'react';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { ContextMenu } from '#renderer/ui/menu.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import { AgentMenuItems } from './agent-menu-items.tsx';
import { AgentLink, AgentMenu, SelectBox, Unread } from './agent-parts.tsx';
import { AskStrip, TroubleStrip } from './ask-strip.tsx';
import { BoundaryBadge } from './boundary-badge.tsx';
import { CardUsage, Uptime } from './card-usage.tsx';
import type { FleetAgent, FleetHands, RenderTerminal } from './fleet-agent.ts';
import { doingOf, isQuiet, lookOf, purposeOf } from './status-look.ts';

interface AgentCardProps {
  readonly row: FleetAgent;
  /** The most rows of its terminal that there can be room for. */
  readonly terminalRows: number;
  readonly isSelected: boolean;
  /** Whether Tab leads to this card. */
  readonly isCurrent: boolean;
  /** Place among all cards, from 1, and how many there are: most are not on the page. */
  readonly position: number;
  readonly count: number;
  readonly hands: FleetHands;
  readonly renderTerminal: RenderTerminal;
}

/** One agent of the fleet. Its name is the link, and the whole card its target; what else it holds lies above that. */
export const AgentCard = memo(function AgentCard(props: AgentCardProps): ReactNode {
  const { row, terminalRows, isSelected, isCurrent, position, count, hands, renderTerminal } = props;
  const { agent, question } = row;
  const { id, state } = agent;
  const look = lookOf(row);
  const isRunning = isAlive(state.status);
  const tabIndex = isCurrent ? 0 : -1;
  const trouble = question === undefined && (state.status === 'failed' || state.status === 'lost') ? state.reason : undefined;
  const frame = question === undefined ? 'border-hair hover:border-hair-strong' : 'border-needs-line';
  const items = <AgentMenuItems agent={agent} isSelected={isSelected} hands={hands} />;
  return (
    <ContextMenu items={items} label={`Actions for ${id}`}>
      <div
        role="listitem"
        data-agent={id}
        aria-label={`${id}, ${look.word}`}
        aria-setsize={count}
        aria-posinset={position}
        className={`group/card relative flex h-full min-w-0 flex-col overflow-hidden rounded-3 border bg-bg-1 has-[[data-card-link]:focus-visible]:outline-2 has-[[data-card-link]:focus-visible]:outline-offset-1 has-[[data-card-link]:focus-visible]:outline-focus ${frame}`}
      >
        {isSelected ? <span aria-hidden className="absolute inset-y-0 left-0 z-2 w-0.5 bg-tx-1" /> : null}
        <header className={`flex-none px-3 pt-2 pb-[7px] ${isSelected ? 'bg-select' : ''}`}>
          <div className="flex h-5 min-w-0 items-center gap-2">
            <StateMark look={look} />
            <AgentLink
              id={id}
              tabIndex={tabIndex}
              isSelected={isSelected}
              hands={hands}
              className="min-w-0 truncate text-13 after:absolute after:inset-0"
            />
            <span className="min-w-0 shrink-[99] truncate text-12 text-tx-3">{agent.config.type}</span>
            <span className="ml-auto flex-none">
              <Unread agentId={id} />
            </span>
          </div>
          <div
            title={state.evidence.detail}
            className={`flex h-5 min-w-0 items-center gap-2 text-12 group-focus-within/card:pr-11 group-hover/card:pr-11 [[data-selecting]_&]:pr-11 ${isSelected ? 'pr-11' : ''}`}
          >
            <StateWord look={look} />
            <span className="truncate text-tx-2">{trouble === undefined ? doingOf(row) : purposeOf(row)}</span>
          </div>
          <div
            className={`absolute top-[27px] right-2 z-1 flex items-center ${isSelected ? '' : 'opacity-0 group-focus-within/card:opacity-100 group-hover/card:opacity-100 has-[[data-state=open]]:opacity-100 [[data-selecting]_&]:opacity-100'}`}
          >
            <AgentMenu id={id} tabIndex={tabIndex} items={items} />
            <SelectBox id={id} isSelected={isSelected} hands={hands} tabIndex={tabIndex} />
          </div>
        </header>
        <div className="flex min-h-0 flex-1 flex-col justify-end border-t border-hair bg-t-bg px-3 pt-1 pb-1.5 text-[10.5px] leading-[14px]">
          {renderTerminal(agent, {
            rows: terminalRows,
            isQuiet: isQuiet(state.status),
          })}
        </div>
        {question === undefined ? null : (
          <AskStrip key={question.messageId} agentId={id} question={question} tabIndex={tabIndex} />
        )}
        {trouble === undefined ? null : (
          <TroubleStrip
            reason={trouble}
            at={state.since}
            tabIndex={tabIndex}
            onRestart={isExternal(agent) ? undefined : () => hands.onAction(id, 'start')}
            onOpen={() => goTo({ page: 'agent', id, tab: 'overview' })}
          />
        )}
        <footer
          className={`flex-none px-3 py-1.5 text-12 ${question === undefined && trouble === undefined ? 'border-t border-hair' : ''}`}
        >
          <div className="flex h-5 items-center gap-3">
            <CardUsage agentId={id} isRunning={isRunning} />
            <span className="figures relative z-1 ml-auto text-tx-2" title={`${agent.config.type} agents report no costs`}>
              –
            </span>
          </div>
          <div className="flex h-5 min-w-0 items-center gap-3">
            <BoundaryBadge agent={agent} tabIndex={tabIndex} />
            <span className="relative z-1 ml-auto flex-none">
              <Uptime since={isRunning ? agent.run?.startedAt : undefined} />
            </span>
          </div>
        </footer>
      </div>
    </ContextMenu>
  );
});
