import { memo, useMemo, useRef } from 'react';
import type { ReactNode } from 'react';
import { ContextMenu } from '#renderer/ui/menu.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { AgentMenuItems } from './agent-menu-items.tsx';
import { AgentLink, AgentMenu, Unread } from './agent-parts.tsx';
import { AskStrip } from './ask-strip.tsx';
import type { FleetAgent, FleetHands, RenderTerminal } from './fleet-agent.ts';
import type { FleetViewProps } from './fleet-view.ts';
import { useFleetKeys, useSettledRows, useSize } from './fleet-view.ts';
import { doingOf, isQuiet, lookOf } from './status-look.ts';
import { layOutWall, MOST_PANES, panesThatFit, typeFor } from './wall-layout.ts';

/** Around the panes, in pixels. */
const PADDING = 12;
/** Rows asked for: the whole screen, however high. */
const WHOLE_SCREEN = 300;

/** Live terminals side by side: those of the selected agents, or of the first in the fleet's order. */
export function FleetWall(props: FleetViewProps): ReactNode {
  const { selected, currentId, hands, renderTerminal, ref } = props;
  const box = useRef<HTMLUListElement>(null);
  const size = useSize(box);
  const width = size.width - 2 * PADDING;
  const height = size.height - 2 * PADDING;
  const isChosen = props.rows.some(({ agent }) => selected.has(agent.id));
  const offered = useMemo(
    () => props.rows.filter(({ agent }) => !isChosen || selected.has(agent.id)).map(({ agent }) => agent.id),
    [props.rows, selected, isChosen],
  );
  const key = `${props.query}|${isChosen ? [...selected].join() : ''}`;
  const settled = useSettledRows(offered, key, props);
  const count = isChosen ? Math.min(MOST_PANES, settled.rows.length) : panesThatFit(settled.rows.length, width, height);
  const rows = useMemo(() => settled.rows.slice(0, count), [settled.rows, count]);
  const layout = layOutWall(count, width, height);
  const { currentIndex, onKeyDown } = useFleetKeys({
    box,
    rows,
    columns: layout.columns,
    page: layout.rows,
    currentId,
    hands,
    settle: settled.settle,
    scrollTo: noScroll,
    ref,
  });
  const left = settled.rows.length - count;
  // One size for all: a wall of differently sized letters cannot be read across.
  const type = typeFor(layout.paneWidth);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <ul
        ref={box}
        {...settled.holders}
        onKeyDown={onKeyDown}
        aria-label="Terminals, needs you first"
        className="grid min-h-0 flex-1 content-start gap-2 overflow-hidden p-3"
        style={{
          gridTemplateColumns: `repeat(${layout.columns}, minmax(0, 1fr))`,
          gridTemplateRows: `repeat(${layout.rows}, minmax(0, 1fr))`,
          fontSize: `${type.size}px`,
          lineHeight: `${type.line}px`,
        }}
      >
        {size.width === 0
          ? null
          : rows.map((row, index) => (
              <WallPane
                key={row.agent.id}
                row={row}
                isSelected={selected.has(row.agent.id)}
                isCurrent={index === currentIndex}
                hands={hands}
                renderTerminal={renderTerminal}
              />
            ))}
      </ul>
      {left > 0 ? (
        <p className="flex min-h-7 flex-none items-center border-t border-hair px-4 py-1 text-12 text-tx-3">
          {isChosen
            ? `A wall shows at most ${MOST_PANES} terminals: ${left} of the selected ${left === 1 ? 'is' : 'are'} left out.`
            : `The first ${count} of ${settled.rows.length}. Select agents in the grid or the table to choose which.`}
        </p>
      ) : null}
    </div>
  );
}

function noScroll(): void {
  // All panes are in sight.
}

interface WallPaneProps {
  readonly row: FleetAgent;
  readonly isSelected: boolean;
  readonly isCurrent: boolean;
  readonly hands: FleetHands;
  readonly renderTerminal: RenderTerminal;
}

const WallPane = memo(function WallPane(props: WallPaneProps): ReactNode {
  const { row, isSelected, isCurrent, hands, renderTerminal } = props;
  const { agent, question } = row;
  const { id, state } = agent;
  const tabIndex = isCurrent ? 0 : -1;
  const look = lookOf(row);
  const items = <AgentMenuItems agent={agent} isSelected={isSelected} hands={hands} />;
  return (
    <ContextMenu items={items} label={`Actions for ${id}`}>
      <li
        data-agent={id}
        className={`group/card relative flex min-h-0 min-w-0 flex-col overflow-hidden rounded-3 border bg-bg-1 has-[[data-card-link]:focus-visible]:outline-2 has-[[data-card-link]:focus-visible]:outline-offset-1 has-[[data-card-link]:focus-visible]:outline-focus ${question === undefined ? 'border-hair hover:border-hair-strong' : 'border-needs-line'}`}
      >
        <div
          className="flex h-7 flex-none items-center gap-2 border-b border-hair pr-1 pl-2.5 text-12"
          title={state.evidence.detail}
        >
          <StateMark look={look} />
          <AgentLink
            id={id}
            title={`Open ${id}, where you can take control`}
            tabIndex={tabIndex}
            isSelected={isSelected}
            hands={hands}
            className="max-w-[60%] flex-none truncate after:absolute after:inset-0"
          />
          <StateWord look={look} />
          <span className="min-w-0 flex-1 truncate text-tx-2">{doingOf(row)}</span>
          <Unread agentId={id} />
          <span className="relative z-1">
            <AgentMenu id={id} tabIndex={tabIndex} items={items} />
          </span>
        </div>
        <div className="flex min-h-0 flex-1 flex-col bg-t-bg px-2 py-1">
          {renderTerminal(agent, { rows: WHOLE_SCREEN, isQuiet: isQuiet(state.status) })}
        </div>
        {question === undefined ? null : (
          <AskStrip key={question.messageId} agentId={id} question={question} tabIndex={tabIndex} />
        )}
      </li>
    </ContextMenu>
  );
});
