/** The columns of the fleet's table: what they show, and what they sort by. */
import type { ReactNode } from 'react';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { Button } from '#renderer/ui/button.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { isAlive } from '#shared/agents/model.ts';
import { BoundaryBadge } from './boundary-badge.tsx';
import { QuestionText } from './ask-strip.tsx';
import { bytesText, percentText } from './agent-figures.ts';
import { Uptime } from './card-usage.tsx';
import type { FleetAgent } from './fleet-agent.ts';
import { FLEET_GROUPS, groupOf } from './fleet-order.ts';
import { doingOf, lookOf } from './status-look.ts';

/** An agent with all that a row of the table shows of it. The same object as long as nothing of it changed. */
export interface TableDatum {
  readonly row: FleetAgent;
  readonly unread: number;
  /** Percent of one core, and bytes; undefined when nothing was measured. */
  readonly cpu: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** A column. */
export interface FleetColumn {
  readonly id: string;
  readonly title: string;
  /** Pixels; undefined takes what is left. */
  readonly width: number | undefined;
  readonly isFigure?: boolean;
  /** What it is sorted by; undefined comes last. */
  readonly value: (datum: TableDatum) => string | number | undefined;
  /** The first press sorts from the highest. */
  readonly isDescFirst?: boolean;
  /** `tabIndex` is 0 where Tab leads to its agent, else -1. */
  readonly cell: (datum: TableDatum, tabIndex: number) => ReactNode;
}

function none(): ReactNode {
  return <span className="text-tx-3">–</span>;
}

function runningSince({ row: { agent } }: TableDatum): number | undefined {
  return isAlive(agent.state.status) ? agent.run?.startedAt : undefined;
}

/** Every column, in the order in which they stand unless the operator chose another. */
export const FLEET_COLUMNS: readonly FleetColumn[] = [
  {
    id: 'state',
    title: 'State',
    width: 116,
    value: ({ row }) => FLEET_GROUPS.indexOf(groupOf(row)),
    cell: ({ row }) => (
      <span className="flex items-center gap-2" title={row.agent.state.evidence.detail}>
        <StateMark look={lookOf(row)} />
        <StateWord look={lookOf(row)} />
      </span>
    ),
  },
  {
    id: 'doing',
    title: 'Doing',
    width: undefined,
    value: ({ row }) => doingOf(row).toLowerCase(),
    cell: ({ row }) => (
      <span className="flex min-w-0 items-center gap-2">
        <span
          className="min-w-0 truncate text-tx-2"
          title={row.question === undefined ? doingOf(row) : visibleText(row.question.body)}
        >
          {row.question === undefined ? doingOf(row) : <QuestionText text={row.question.body} />}
        </span>
        {row.question === undefined ? null : <ReadButton messageId={row.question.messageId} />}
      </span>
    ),
  },
  { id: 'type', title: 'Type', width: 104, value: ({ row }) => row.agent.config.type, cell: ({ row }) => row.agent.config.type },
  {
    id: 'unread',
    title: 'Unread',
    width: 72,
    isFigure: true,
    isDescFirst: true,
    value: ({ unread }) => unread,
    cell: ({ unread }) => (unread === 0 ? none() : unread),
  },
  {
    id: 'cpu',
    title: 'CPU',
    width: 68,
    isFigure: true,
    isDescFirst: true,
    value: ({ cpu }) => cpu,
    cell: ({ cpu }) => (cpu === undefined ? none() : percentText(cpu)),
  },
  {
    id: 'memory',
    title: 'Memory',
    width: 84,
    isFigure: true,
    isDescFirst: true,
    value: ({ memoryBytes }) => memoryBytes,
    cell: ({ memoryBytes }) => (memoryBytes === undefined ? none() : bytesText(memoryBytes)),
  },
  { id: 'cost', title: 'Cost', width: 68, isFigure: true, isDescFirst: true, value: () => undefined, cell: none },
  {
    id: 'boundary',
    title: 'Boundary',
    width: 160,
    value: ({ row }) => row.agent.boundary,
    cell: ({ row }, tabIndex) => <BoundaryBadge agent={row.agent} tabIndex={tabIndex} />,
  },
  {
    id: 'uptime',
    title: 'Uptime',
    width: 84,
    isFigure: true,
    value: (datum) => runningSince(datum),
    cell: (datum) => <Uptime since={runningSince(datum)} />,
  },
  {
    id: 'capabilities',
    title: 'Capabilities',
    width: 176,
    value: ({ row }) => row.agent.config.capabilities.join(', ') || undefined,
    cell: ({ row }) => {
      const text = row.agent.config.capabilities.join(', ');
      return text === '' ? none() : <span title={text}>{text}</span>;
    },
  },
  {
    id: 'runtime',
    title: 'Runtime',
    width: 80,
    value: ({ row }) => row.agent.config.runtime,
    cell: ({ row }) =>
      row.agent.config.runtime === 'none' ? <span title="runs outside Quarterdeck">–</span> : row.agent.config.runtime,
  },
  {
    id: 'starts',
    title: 'Starts',
    width: 68,
    isFigure: true,
    isDescFirst: true,
    value: ({ row }) => row.agent.starts,
    cell: ({ row }) => row.agent.starts,
  },
  {
    id: 'changed',
    title: 'State since',
    width: 100,
    isDescFirst: true,
    value: ({ row }) => row.agent.state.since,
    cell: ({ row }) => <RelativeTime at={row.agent.state.since} className="text-tx-2" />,
  },
  {
    id: 'created',
    title: 'Created',
    width: 96,
    isDescFirst: true,
    value: ({ row }) => row.agent.createdAt,
    cell: ({ row }) => <RelativeTime at={row.agent.createdAt} className="text-tx-2" />,
  },
];

/** A row is too low for a question and its answers: it leads there. */
function ReadButton({ messageId }: { readonly messageId: string }): ReactNode {
  return (
    <Button size="small" look="ink" className="flex-none" data-reply="" onClick={() => goTo({ page: 'messages', messageId })}>
      Answer
    </Button>
  );
}

/** The columns that are shown while the operator chose none, by the room there is. The name is always there. */
export const DEFAULT_COLUMNS: Readonly<Record<'wide' | 'narrow' | 'tiny' | 'slim', readonly string[]>> = {
  wide: ['state', 'doing', 'type', 'unread', 'cpu', 'memory', 'boundary', 'uptime'],
  narrow: ['state', 'doing', 'cpu', 'memory', 'boundary', 'uptime'],
  tiny: ['state', 'doing', 'uptime'],
  slim: ['state'],
};
