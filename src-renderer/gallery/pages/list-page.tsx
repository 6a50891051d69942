import { useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import type { ListEdges, VirtualListHandle } from '#renderer/ui/virtual-list.tsx';
import { VirtualList } from '#renderer/ui/virtual-list.tsx';
import { Specimen } from '../specimen.tsx';

const lineOf = (index: number): string =>
  `Line ${index}${index % 3 === 0 ? ', which is longer than the others and says so in more than a few words, again and again, until it wraps' : ''}`;
const range = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, index) => from + index);

export function ListPage(): ReactNode {
  const handle = useRef<VirtualListHandle>(null);
  const [log, setLog] = useState(() => range(1_000, 200));
  const [edges, setEdges] = useState<ListEdges>();
  const [chosen, setChosen] = useState<string | null>('3');
  const [isLow, setLow] = useState(false);
  const items = range(0, 20_000);
  return (
    <>
      <Specimen title="A log that follows its end" isFlush>
        <div style={{ height: isLow ? 120 : 240 }}>
          <VirtualList
            ref={handle}
            label="Log"
            role="log"
            anchor="end"
            items={log}
            keyOf={String}
            estimateHeight={28}
            onEdges={setEdges}
            renderItem={(item) => (
              <div className="row" style={{ padding: '4px 12px', borderTop: '1px solid var(--color-hair)', flexWrap: 'nowrap' }}>
                <p style={{ flex: 1 }}>{lineOf(item)}</p>
                <Button size="small" look="quiet">{`Reply to ${item}`}</Button>
              </div>
            )}
          />
        </div>
      </Specimen>
      <div className="row" style={{ marginBottom: 16 }}>
        <Button onClick={() => setLog((shown) => [...range((shown[0] ?? 0) - 50, 50), ...shown])}>Fifty before</Button>
        <Button onClick={() => setLog((shown) => [...shown, (shown.at(-1) ?? 0) + 1])}>One after</Button>
        <Button onClick={() => handle.current?.scrollToEnd()}>To the end</Button>
        <Button onClick={() => handle.current?.scrollToIndex(0, 'start')}>To the start</Button>
        <Button aria-pressed={isLow} onClick={() => setLow(!isLow)}>
          Lower
        </Button>
        <p role="status">
          {log.length} lines, {edges?.isAtEnd === true ? 'at the end' : 'not at the end'}
        </p>
      </div>
      <Specimen title="Twenty thousand, of which one is chosen" isFlush>
        <div style={{ height: 196 }}>
          <VirtualList
            label="Items"
            role="listbox"
            items={items}
            keyOf={String}
            estimateHeight={28}
            selectedKey={chosen}
            onSelect={(item) => setChosen(String(item))}
            renderItem={(item) => (
              <p style={{ padding: '4px 12px', background: String(item) === chosen ? 'var(--color-select)' : undefined }}>
                Item {item}
              </p>
            )}
          />
        </div>
      </Specimen>
    </>
  );
}
