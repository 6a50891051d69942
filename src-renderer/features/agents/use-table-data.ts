/** What the rows of the fleet's table show besides the agents themselves. */
import { useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { isAlive } from '#shared/agents/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { FleetAgent } from './fleet-agent.ts';
import type { TableDatum } from './fleet-columns.tsx';
import { Kept } from './kept.ts';

/** An agent that the filter no longer wants, but that keeps its place for now. */
export function bareDatum(byId: ReadonlyMap<string, FleetAgent>, id: string): TableDatum | undefined {
  const row = byId.get(id);
  return row === undefined ? undefined : { row, unread: 0, cpu: undefined, memoryBytes: undefined };
}

/** Rows with what they show besides; a row of which nothing changed stays the same object. */
export function useTableData(rows: readonly FleetAgent[]): readonly TableDatum[] {
  const unread = useWindowState((state) => state.unread);
  const samples = useStore(useSession().metrics.store, (state) => state.samples);
  const [kept] = useState(
    () =>
      new Kept<TableDatum>(
        ({ row }) => row.agent.id,
        (a, b) => a.row === b.row && a.unread === b.unread && a.cpu === b.cpu && a.memoryBytes === b.memoryBytes,
      ),
  );
  return useMemo(
    () =>
      kept.renew(
        rows.map((row): TableDatum => {
          const { id, state } = row.agent;
          const measured = isAlive(state.status) ? ownEntry(samples, id) : undefined;
          return { row, unread: ownEntry(unread, id) ?? 0, cpu: measured?.cpu.at(-1), memoryBytes: measured?.memoryBytes.at(-1) };
        }),
      ),
    [rows, unread, samples, kept],
  );
}
