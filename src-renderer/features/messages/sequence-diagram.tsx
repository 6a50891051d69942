import { useMemo } from 'react';
import type { ReactNode } from 'react';
import type { DeliveryTable } from '#renderer/store/message-feed.ts';
import { clockTime } from '#renderer/ui/format-time.ts';
import type { Message } from '#shared/messages/model.ts';
import type { Arrow } from './sequence.ts';
import { sequenceOf } from './sequence.ts';

/** The diagram's own width: it is scaled to its place. Times end at the right edge. */
const WIDTH_PX = 364;
const LABEL_UP_PX = 6;

interface SequenceDiagramProps {
  readonly messages: readonly Message[];
  readonly deliveries: DeliveryTable;
  readonly selectedId: string | undefined;
  readonly onSelect: (message: Message) => void;
}

/** Who said what to whom, in order: lanes and arrows; the same as a list for screen readers. */
export function SequenceDiagram({ messages, deliveries, selectedId, onSelect }: SequenceDiagramProps): ReactNode {
  const { lanes, arrows, height } = useMemo(() => sequenceOf(messages, deliveries), [messages, deliveries]);
  return (
    <>
      <ol className="sr-only">
        {arrows.map(({ message, words }) => (
          <li key={message.id}>
            {clockTime(message.sentAt)} {words}
          </li>
        ))}
      </ol>
      <svg aria-hidden viewBox={`0 0 ${WIDTH_PX} ${height}`} className="block h-auto w-full font-ui text-12">
        {arrows
          .filter(({ message }) => message.id === selectedId)
          .map(({ message, y }) => (
            <rect key={message.id} x="0" y={y - 24} width={WIDTH_PX} height="28" className="fill-select" />
          ))}
        {lanes.map(({ label, names, x }) => (
          <g key={names.join(' ')}>
            <text x={x} y="14" textAnchor="middle" className="fill-tx-1 font-strong">
              {label}
            </text>
            <path d={`M${x} 22V${height}`} className="stroke-hair-strong" strokeDasharray="2 3" />
          </g>
        ))}
        {arrows.map((arrow) => (
          <ArrowShape key={arrow.message.id} arrow={arrow} isSelected={arrow.message.id === selectedId} onSelect={onSelect} />
        ))}
      </svg>
    </>
  );
}

interface ArrowShapeProps {
  readonly arrow: Arrow;
  readonly isSelected: boolean;
  readonly onSelect: (message: Message) => void;
}

function ArrowShape({ arrow, isSelected, onSelect }: ArrowShapeProps): ReactNode {
  const { message, y, fromX, toXs, label, labelX, isReply, isDead } = arrow;
  const line = y - 5.5;
  const [stroke, fill] = isDead ? ['stroke-st-failed', 'fill-st-failed'] : ['stroke-tx-2', 'fill-tx-2'];
  const ends = [...new Set([Math.min(fromX, ...toXs), Math.max(fromX, ...toXs)])].filter((x) => x !== fromX);
  return (
    <g onClick={() => onSelect(message)}>
      <rect x="0" y={y - 24} width={WIDTH_PX} height="28" className="fill-transparent" />
      <text
        x={labelX}
        y={line - LABEL_UP_PX}
        textAnchor="middle"
        paintOrder="stroke"
        strokeWidth="4"
        className={`${isSelected ? 'stroke-select' : 'stroke-bg-0'} ${isDead ? 'fill-st-failed' : 'fill-tx-2'}`}
      >
        {label}
      </text>
      {toXs.length === 0 ? (
        <path d={`M${fromX} ${line - 4}h18v8h-12`} fill="none" className={stroke} />
      ) : (
        ends.map((x) => (
          <path
            key={x}
            d={`M${fromX} ${line}H${x + (x > fromX ? -6 : 6)}`}
            fill="none"
            strokeDasharray={isReply ? '4 3' : undefined}
            className={stroke}
          />
        ))
      )}
      {(toXs.length === 0 ? [fromX] : toXs).map((x) => (
        <path
          key={x}
          d={toXs.length === 0 ? `M${x} ${line + 4}l7 -3.5v7Z` : `M${x} ${line}l${x > fromX ? -7 : 7} -3.5v7Z`}
          className={fill}
        />
      ))}
      <text x={WIDTH_PX} y={line + 4} textAnchor="end" className="figures fill-tx-3 text-11">
        {clockTime(message.sentAt).slice(0, 5)}
      </text>
    </g>
  );
}
