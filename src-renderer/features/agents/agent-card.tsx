import { Check, Ellipsis, Mail, ShieldCheck, ShieldOff } from 'lucide-react';
import { memo } from 'react';
import type { KeyboardEvent, MouseEvent, ReactNode } from 'react';
import { goTo, Link } from '#renderer/navigation/use-route.tsx';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { ContextMenu, Menu } from '#renderer/ui/menu.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import type { Agent, AgentStatus } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { AgentAction } from './agent-actions.ts';
import { AgentMenuItems } from './agent-menu-items.tsx';
import { AskStrip, TroubleStrip } from './ask-strip.tsx';
import { CardUsage, Uptime } from './card-usage.tsx';
import type { FleetAgent } from './fleet-agent.ts';
import { BOUNDARY_WORDS, lineOf, STATUS_LOOKS } from './status-look.ts';

/** Draws an agent's terminal. Terminals are another feature's: the page hands this in. */
export type RenderTerminal = (
  agent: Agent,
  options: {
    /** The most rows that can be seen; 300 for the whole screen. */
    readonly rows: number;
    /** Nothing happens there any more. */
    readonly isQuiet: boolean;
    /** Told how many columns the widest row so far takes. */
    readonly onColumns?: (cols: number) => void;
  },
) => ReactNode;

/** What can be done from a card, a row or a pane. The same object for all of them, so that they stay as they are. */
export interface FleetHands {
  readonly onCurrent: (id: string) => void;
  /** With `isRange`, everything from the last one that was selected. */
  readonly onToggle: (id: string, isRange: boolean) => void;
  /** Selects all of these, or none when all are selected. */
  readonly onToggleAll: (ids: readonly string[]) => void;
  readonly onAction: (id: string, action: AgentAction) => void;
  readonly onMessage: (id: string) => void;
}

/** Whether nothing happens in a terminal any more that anybody must look at. */
export function isQuiet(status: AgentStatus): boolean {
  return !isAlive(status) && status !== 'failed' && status !== 'lost';
}

const NEEDS: StateLook = { shape: 'triangle', tone: 'needs', word: 'Needs you' };

/** How an agent is drawn in the fleet: that it waits for the operator comes before its state. */
export function lookOf({ agent, question }: FleetAgent): StateLook {
  return question === undefined ? STATUS_LOOKS[agent.state.status] : NEEDS;
}

/** The one line of what it is doing, or of what it asks about; of a program that says nothing of itself, its command. */
export function doingOf({ agent, question }: FleetAgent): string {
  return question?.subject ?? (lineOf(agent) || (agent.config.command?.join(' ') ?? ''));
}

/** The same where a strip below says why it failed: what it was for. */
function purposeOf({ agent }: FleetAgent): string {
  return agent.config.description || (agent.config.command?.join(' ') ?? '');
}

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
  const items = (
    <AgentMenuItems
      agent={agent}
      isSelected={isSelected}
      onSelect={() => hands.onToggle(id, false)}
      onAction={(action) => hands.onAction(id, action)}
      onMessage={() => hands.onMessage(id)}
    />
  );
  return (
    <ContextMenu items={items} label={`Actions for ${id}`}>
      <div
        role="listitem"
        data-agent={id}
        aria-label={`${id}, ${look.word}`}
        aria-setsize={count}
        aria-posinset={position}
        className={`group/card relative flex h-full min-w-0 flex-col overflow-hidden rounded-3 border bg-bg-1 has-[a:focus-visible]:outline-2 has-[a:focus-visible]:outline-offset-1 has-[a:focus-visible]:outline-focus ${frame}`}
      >
        {isSelected ? <span aria-hidden className="absolute inset-y-0 left-0 z-2 w-0.5 bg-tx-1" /> : null}
        <header className={`flex-none px-3 pt-2 pb-[7px] ${isSelected ? 'bg-select' : ''}`}>
          <div className="flex h-5 min-w-0 items-center gap-2">
            <StateMark look={look} />
            <CardLink id={id} tabIndex={tabIndex} isSelected={isSelected} hands={hands} />
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
            <Menu
              label={`Actions for ${id}`}
              align="end"
              trigger={
                <button
                  type="button"
                  tabIndex={tabIndex}
                  aria-label={`Actions for ${id}`}
                  className="inline-flex size-6 items-center justify-center rounded-2 text-tx-2 hover:bg-bg-2 hover:text-tx-1 aria-expanded:bg-bg-2"
                >
                  <Ellipsis aria-hidden className="size-3.5" />
                </button>
              }
            >
              {items}
            </Menu>
            <SelectBox id={id} isSelected={isSelected} hands={hands} tabIndex={tabIndex} />
          </div>
        </header>
        <div className="flex min-h-0 flex-1 flex-col justify-end border-t border-hair bg-t-bg px-3 pb-2 text-[10.5px] leading-[14px]">
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
            onRestart={() => hands.onAction(id, 'start')}
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
            <BoundaryBadge agent={agent} />
            <span className="relative z-1 ml-auto flex-none">
              <Uptime since={isRunning ? agent.run?.startedAt : undefined} />
            </span>
          </div>
        </footer>
      </div>
    </ContextMenu>
  );
});

interface CardLinkProps {
  readonly id: string;
  readonly tabIndex: number;
  readonly isSelected: boolean;
  readonly hands: FleetHands;
}

/** The name. Enter opens it as any link; Space selects. Arrow keys are the grid's. */
function CardLink({ id, tabIndex, isSelected, hands }: CardLinkProps): ReactNode {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== ' ' && event.key !== 'x') return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    hands.onToggle(id, event.shiftKey);
  };
  const onClick = (event: MouseEvent): void => {
    if (!event.shiftKey) return;
    event.preventDefault();
    hands.onToggle(id, true);
  };
  return (
    <Link
      to={{ page: 'agent', id, tab: 'overview' }}
      title={id}
      tabIndex={tabIndex}
      draggable={false}
      data-card-link=""
      aria-description={isSelected ? 'selected' : undefined}
      onFocus={() => hands.onCurrent(id)}
      onKeyDown={onKeyDown}
      onClick={onClick}
      className="min-w-8 truncate text-13 font-strong outline-none after:absolute after:inset-0"
    >
      {id}
    </Link>
  );
}

interface SelectBoxProps extends Pick<CardLinkProps, 'id' | 'isSelected' | 'hands'> {
  readonly tabIndex: number;
}

/** Selects an agent; with Shift everything from the last one that was. */
export function SelectBox({ id, isSelected, hands, tabIndex }: SelectBoxProps): ReactNode {
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={isSelected}
      aria-label={`Select ${id}`}
      tabIndex={tabIndex}
      onClick={(event) => hands.onToggle(id, event.shiftKey)}
      className="inline-flex size-6 flex-none items-center justify-center rounded-2"
    >
      <span
        className={`inline-flex size-3.5 items-center justify-center rounded-1 border ${isSelected ? 'border-ink bg-ink text-on-ink' : 'border-tx-3'}`}
      >
        {isSelected ? <Check aria-hidden className="size-2.5" strokeWidth={4} /> : null}
      </span>
    </button>
  );
}

/** How many messages wait for the agent; nothing when none does. */
export function Unread({ agentId }: { readonly agentId: string }): ReactNode {
  const unread = useWindowState((state) => ownEntry(state.unread, agentId) ?? 0);
  if (unread === 0) return null;
  return (
    <span
      className="figures inline-flex items-center gap-1 text-tx-2"
      title={`${unread} unread ${unread === 1 ? 'message' : 'messages'}`}
    >
      <Mail aria-hidden className="size-3 text-tx-3" />
      {unread}
      <span className="sr-only">unread</span>
    </span>
  );
}

/** What confines an agent; the whole sentence on hover. */
export function BoundaryBadge({ agent }: { readonly agent: Agent }): ReactNode {
  const isContained = agent.boundary !== 'host';
  const Shield = isContained ? ShieldCheck : ShieldOff;
  return (
    <span
      title={agent.boundaryNote}
      className={`relative z-1 flex min-w-0 items-center gap-1.5 ${isContained ? 'text-tx-2' : 'text-tx-1'}`}
    >
      <Shield aria-hidden className={`size-3.5 flex-none ${isContained ? 'text-st-working' : 'text-st-failed'}`} />
      <span className="truncate">{BOUNDARY_WORDS[agent.boundary]}</span>
    </span>
  );
}
