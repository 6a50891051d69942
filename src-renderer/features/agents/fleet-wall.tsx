import { Ellipsis } from 'lucide-react';
import { memo, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { Link } from '#renderer/navigation/use-route.tsx';
import { ContextMenu, Menu } from '#renderer/ui/menu.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { doingOf, isQuiet, lookOf, Unread } from './agent-card.tsx';
import type { FleetHands, RenderTerminal } from './agent-card.tsx';
import { AgentMenuItems } from './agent-menu-items.tsx';
import { AskStrip } from './ask-strip.tsx';
import type { FleetAgent } from './fleet-agent.ts';
import type { FleetViewProps } from './fleet-view.ts';
import { useFleetKeys, useSettledRows, useSize } from './fleet-view.ts';
import { layOutWall, MOST_PANES, panesThatFit, typeFor } from './wall-layout.ts';

/** Around the panes, in pixels. */
const PADDING = 12;
/** Rows asked for: the whole screen, however high. */
const WHOLE_SCREEN = 300;
/** Type does not grow beyond what so many columns leave it: a shell with a short prompt is not to be read across the room. */
const LEAST_COLS = 64;

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
        }}
      >
        {size.width === 0
          ? null
          : rows.map((row, index) => (
              <WallPane
                key={row.agent.id}
                row={row}
                paneWidth={layout.paneWidth}
                isSelected={selected.has(row.agent.id)}
                isCurrent={index === currentIndex}
                hands={hands}
                renderTerminal={renderTerminal}
              />
            ))}
      </ul>
      {left > 0 ? (
        <p className="flex h-7 flex-none items-center border-t border-hair px-4 text-12 text-tx-3">
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
  readonly paneWidth: number;
  readonly isSelected: boolean;
  readonly isCurrent: boolean;
  readonly hands: FleetHands;
  readonly renderTerminal: RenderTerminal;
}

const WallPane = memo(function WallPane(props: WallPaneProps): ReactNode {
  const { row, paneWidth, isSelected, isCurrent, hands, renderTerminal } = props;
  const { agent, question } = row;
  const { id, state } = agent;
  const [cols, setCols] = useState(LEAST_COLS);
  const type = typeFor(Math.max(cols, LEAST_COLS), paneWidth);
  const look = lookOf(row);
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
      <li
        data-agent={id}
        className={`group/card relative flex min-h-0 min-w-0 flex-col overflow-hidden rounded-3 border bg-bg-1 has-[a:focus-visible]:outline-2 has-[a:focus-visible]:outline-offset-1 has-[a:focus-visible]:outline-focus ${question === undefined ? 'border-hair hover:border-hair-strong' : 'border-needs-line'}`}
      >
        <div
          className="flex h-7 flex-none items-center gap-2 border-b border-hair pr-1 pl-2.5 text-12"
          title={state.evidence.detail}
        >
          <StateMark look={look} />
          <Link
            to={{ page: 'agent', id, tab: 'overview' }}
            title={`Open ${id}, where you can take control`}
            tabIndex={isCurrent ? 0 : -1}
            draggable={false}
            data-card-link=""
            onFocus={() => hands.onCurrent(id)}
            className="max-w-[60%] flex-none truncate font-strong outline-none after:absolute after:inset-0"
          >
            {id}
          </Link>
          <StateWord look={look} />
          <span className="min-w-0 flex-1 truncate text-tx-2">{doingOf(row)}</span>
          <Unread agentId={id} />
          <span className="relative z-1">
            <Menu
              label={`Actions for ${id}`}
              align="end"
              trigger={
                <button
                  type="button"
                  tabIndex={isCurrent ? 0 : -1}
                  aria-label={`Actions for ${id}`}
                  className="inline-flex size-6 items-center justify-center rounded-2 text-tx-3 hover:bg-bg-2 hover:text-tx-1 aria-expanded:bg-bg-2"
                >
                  <Ellipsis aria-hidden className="size-3.5" />
                </button>
              }
            >
              {items}
            </Menu>
          </span>
        </div>
        <div
          className="flex min-h-0 flex-1 flex-col justify-end bg-t-bg px-2 py-1"
          style={{ fontSize: `${type.size}px`, lineHeight: `${type.line}px` }}
        >
          {renderTerminal(agent, { rows: WHOLE_SCREEN, isQuiet: isQuiet(state.status), onColumns: setCols })}
        </div>
        {question === undefined ? null : (
          <AskStrip key={question.messageId} agentId={id} question={question} tabIndex={isCurrent ? 0 : -1} />
        )}
      </li>
    </ContextMenu>
  );
});
