import { useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useScreenCommands } from '#renderer/commands/use-commands.tsx';
import { ACTION_KEYS, canDo } from '#renderer/features/agents/agent-actions.ts';
import type { AgentAction } from '#renderer/features/agents/agent-actions.ts';
import type { FleetHands, RenderTerminal } from '#renderer/features/agents/fleet-agent.ts';
import { FleetBar } from '#renderer/features/agents/fleet-bar.tsx';
import type { FleetViewName } from '#renderer/features/agents/fleet-bar.tsx';
import { FleetGrid } from '#renderer/features/agents/fleet-grid.tsx';
import { FleetSkeleton } from '#renderer/features/agents/fleet-skeleton.tsx';
import { FleetTable } from '#renderer/features/agents/fleet-table.tsx';
import { FleetWall } from '#renderer/features/agents/fleet-wall.tsx';
import type { FleetViewHandle, ShownOrder } from '#renderer/features/agents/fleet-view.ts';
import { SelectionBar } from '#renderer/features/agents/selection-bar.tsx';
import { useAgentActions } from '#renderer/features/agents/use-agent-actions.ts';
import { useFleet } from '#renderer/features/agents/use-fleet.ts';
import { useSelection } from '#renderer/features/agents/use-selection.ts';
import { MiniTerminal } from '#renderer/features/terminals/mini-terminal.tsx';
import { changeQuery, goTo, useQueryParameter } from '#renderer/navigation/use-route.tsx';
import { useHasAttention } from '#renderer/store/use-attention.ts';
import { useFreshMetrics } from '#renderer/store/use-metrics.ts';
import { useSettings } from '#renderer/store/use-settings.ts';
import { Button } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { isExternal } from '#shared/agents/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';

const NO_ORDER: ShownOrder = { ids: [], isStale: false };

/** Terminals are a feature of their own: the views of the fleet are handed this. */
const renderTerminal: RenderTerminal = (agent, { rows, isQuiet }) =>
  isExternal(agent) ? (
    <span className="font-ui text-12 text-t-dim">no terminal: it runs outside Quarterdeck</span>
  ) : (
    <MiniTerminal agentId={agent.id} runId={agent.run?.id} rows={rows} isQuiet={isQuiet} />
  );

/** Goes to the composer, with these agents as recipients. */
function writeTo(ids: readonly string[]): void {
  if (ids.length === 0) return;
  goTo({ page: 'messages' });
  changeQuery({ to: ids.join(',') });
}

/** The agents of the project: the home of the window. */
export function FleetPage(): ReactNode {
  const hasAttention = useHasAttention();
  const [settings, update] = useSettings();
  const [query, setQuery] = useQueryParameter('q');
  const fleet = useFleet(query);
  const [currentId, setCurrentId] = useState<string>();
  const [order, setOrder] = useState<ShownOrder>(NO_ORDER);
  const selection = useSelection(order.ids);
  const actions = useAgentActions();
  const view = useRef<FleetViewHandle>(null);
  const filter = useRef<HTMLInputElement>(null);
  useFreshMetrics();

  const onView = (fleetView: FleetViewName): void => update({ fleetView });

  const { byId } = fleet;
  const { toggle, toggleAll } = selection;
  const { run } = actions;
  const hands = useMemo(
    (): FleetHands => ({
      onCurrent: setCurrentId,
      onToggle: toggle,
      onToggleAll: toggleAll,
      onAction: (id, action) => {
        // An id that a view holds is an agent's own.
        run(action, [id as AgentId]);
      },
      onMessage: (id) => writeTo([id]),
    }),
    [toggle, toggleAll, run],
  );

  // Who was removed, or belongs to a project that is not shown, is selected no more.
  const chosen = useMemo(() => [...selection.selected].flatMap((id) => byId.get(id) ?? []), [selection.selected, byId]);
  const selectedRows = useMemo(() => {
    const shown = new Set(fleet.rows);
    return chosen.filter((row) => shown.has(row));
  }, [chosen, fleet.rows]);
  const isSelecting = chosen.length > 0;
  const current = currentId === undefined ? undefined : byId.get(currentId);
  const onBulk = (action: AgentAction): void =>
    run(
      action,
      selectedRows.flatMap(({ agent }) => (canDo(action, agent) ? [agent.id] : [])),
    );
  /** What a key does: with all that are selected, else with the one that has the focus. */
  const withTargets = (action: AgentAction): void => {
    if (isSelecting) onBulk(action);
    else if (current !== undefined && canDo(action, current.agent)) run(action, [current.agent.id]);
  };
  const targetIds = isSelecting
    ? selectedRows.map(({ agent }) => String(agent.id))
    : current === undefined
      ? []
      : [current.agent.id];
  const isPaused = (isSelecting ? selectedRows : [current]).some((row) => row?.agent.state.status === 'paused');
  const who = isSelecting ? 'the selected agents' : 'the agent';

  useScreenCommands('Agents', [
    { id: 'fleet.filter', title: 'Filter the agents', keys: '/', run: () => filter.current?.focus() },
    { id: 'fleet.grid', title: 'Show the agents as cards', keys: 'v g', run: () => onView('grid') },
    { id: 'fleet.table', title: 'Show the agents as a table', keys: 'v t', run: () => onView('table') },
    { id: 'fleet.wall', title: 'Show the terminals side by side', keys: 'v w', run: () => onView('wall') },
    {
      id: 'fleet.move',
      title: 'Go among the agents: arrow keys, Home, End',
      keys: 'arrowdown',
      isHidden: true,
      run: () => view.current?.focus(),
    },
    { id: 'fleet.move-right', title: 'Go to the agents', keys: 'arrowright', isHidden: true, run: () => view.current?.focus() },
    {
      id: 'fleet.open',
      title: 'Open the agent',
      keys: 'o',
      run: () => current && goTo({ page: 'agent', id: current.agent.id, tab: 'overview' }),
    },
    {
      id: 'fleet.select',
      title: 'Select the agent; with Shift all up to it',
      keys: 'x',
      isHidden: true,
      run: () => currentId !== undefined && toggle(currentId, false),
    },
    { id: 'fleet.select-all', title: 'Select all agents that are shown', keys: 'ctrl+a', run: () => toggleAll(order.ids) },
    ...(isSelecting
      ? [{ id: 'fleet.clear', title: 'Clear the selection', keys: 'escape', isHidden: true, run: selection.clear }]
      : []),
    {
      id: 'fleet.reply',
      title: 'Answer the agent’s question',
      keys: 'r',
      run: () => {
        const card = document.querySelector<HTMLElement>(`[data-agent="${CSS.escape(currentId ?? '')}"]`);
        card?.querySelector<HTMLElement>('[data-reply]')?.click();
      },
    },
    { id: 'fleet.message', title: `Write to ${who}`, keys: 'm', run: () => writeTo(targetIds) },
    {
      id: 'fleet.pause',
      title: isPaused ? `Resume ${who}` : `Pause ${who}`,
      keys: ACTION_KEYS.pause,
      run: () => withTargets(isPaused ? 'resume' : 'pause'),
    },
    { id: 'fleet.start', title: `Start ${who}`, keys: ACTION_KEYS.start, run: () => withTargets('start') },
    { id: 'fleet.stop', title: `Stop ${who}`, keys: ACTION_KEYS.stop, run: () => withTargets('stop') },
    { id: 'fleet.restart', title: `Restart ${who}`, keys: ACTION_KEYS.restart, run: () => withTargets('restart') },
    { id: 'fleet.settle', title: 'Put the agents in order now', keys: '.', run: () => view.current?.settle() },
  ]);

  // Before the inbox came it is not known who waits for the operator: cards would change places, and say nothing is asked.
  if (!hasAttention) return <FleetSkeleton />;
  const shared = {
    rows: fleet.rows,
    byId,
    query,
    selected: selection.selected,
    currentId,
    hands,
    renderTerminal,
    onOrder: setOrder,
    ref: view,
  };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <FleetBar
        query={query}
        onQuery={setQuery}
        counts={fleet.counts}
        matching={fleet.matching}
        view={settings.fleetView}
        onView={onView}
        savedFilters={settings.savedFilters}
        onSavedFilters={(savedFilters) => update({ savedFilters })}
        isStale={order.isStale}
        onSettle={() => view.current?.settle()}
        filterRef={filter}
      />
      {fleet.rows.length === 0 ? (
        <NothingMatches query={query} total={fleet.total} onClear={() => setQuery('')} />
      ) : settings.fleetView === 'table' ? (
        <FleetTable {...shared} columns={settings.tableColumns} onColumns={(tableColumns) => update({ tableColumns })} />
      ) : settings.fleetView === 'wall' ? (
        <FleetWall {...shared} />
      ) : (
        <FleetGrid {...shared} />
      )}
      {isSelecting ? (
        <SelectionBar
          rows={selectedRows}
          hidden={chosen.length - selectedRows.length}
          progress={actions.progress}
          onAction={onBulk}
          onMessage={() => writeTo(targetIds)}
          onClear={selection.clear}
        />
      ) : null}
    </div>
  );
}

interface NothingMatchesProps {
  readonly query: string;
  readonly total: number;
  readonly onClear: () => void;
}

/** Why the screen is empty, and the way out. */
function NothingMatches({ query, total, onClear }: NothingMatchesProps): ReactNode {
  if (total === 0) {
    return (
      <EmptyState title="This project has no agents yet">
        <Button look="ink" onClick={() => goTo({ page: 'new-agent' })}>
          New agent
        </Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No agent matches the filter">
      <p>
        None of {total} {total === 1 ? 'agent' : 'agents'} matches <code className="font-code text-12 break-all">{query}</code>.
      </p>
      <Button onClick={onClear}>Clear the filter</Button>
    </EmptyState>
  );
}
