import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { TilePayload } from '#shared/terminals/frames.ts';
import { rowElement, rowText } from './mini-terminal-rows.ts';

interface MiniTerminalProps {
  readonly agentId: AgentId;
  /** The run whose screen is shown; another one is another screen. Undefined: there never was one. */
  readonly runId: string | undefined;
  /** The most rows that can be seen, 2 to 300; more are not asked for. */
  readonly rows: number;
  /** Nothing happens there any more. */
  readonly isQuiet?: boolean;
}

/**
 * Rows of one line each; the cursor (an i) is a block after the text and a frame over it. Few rows stand at the top, as in a
 * terminal; of more than fit, the last are seen.
 */
const ROWS =
  'mb-auto flex-none [&>div]:h-[1lh] [&_i]:absolute [&_i]:inset-y-0 [&_i]:w-[1ch] [&_i]:border [&_i]:border-t-fg [&_i[data-over=blank]]:bg-t-fg';

/** The rows that are shown, and how each was drawn: only rows that changed are drawn again. */
class DrawnRows {
  readonly #box: HTMLElement;
  #keys: string[] = [];

  constructor(box: HTMLElement) {
    this.#box = box;
  }

  show({ rows, cursor }: TilePayload): void {
    const keys = rows.map((row, index) => JSON.stringify(cursor?.row === index ? [row, cursor.col] : row));
    // A screen that scrolled keeps its lines: what left at the top is taken away, and only what is new is drawn.
    const gone = keys.length > 0 && this.#keys.length > 0 ? this.#keys.indexOf(keys[0] ?? '') : 0;
    for (let count = 0; count < gone; count += 1) this.#box.firstElementChild?.remove();
    if (gone > 0) this.#keys.splice(0, gone);
    rows.forEach((row, index) => {
      const key = keys[index] ?? '';
      if (this.#keys[index] === key) return;
      const line = rowElement(row, this.#box.ownerDocument);
      if (cursor?.row === index) {
        // Only here: a row that others are placed by is a layer of its own to the browser, and there are hundreds of rows.
        line.className = 'relative';
        line.append(cursorElement(rowText(row), cursor.col, this.#box.ownerDocument));
      }
      const old = this.#box.children[index];
      if (old === undefined) this.#box.append(line);
      else old.replaceWith(line);
      this.#keys[index] = key;
    });
    while (this.#box.childElementCount > rows.length) this.#box.lastElementChild?.remove();
    this.#keys = keys;
  }
}

/** The cursor: a block after the text, a frame over it. */
function cursorElement(text: string, col: number, document: Document): HTMLElement {
  const mark = document.createElement('i');
  mark.style.left = `${col}ch`;
  mark.dataset['over'] = col < [...text].length ? 'text' : 'blank';
  return mark;
}

/**
 * The last rows of an agent's terminal, live, in whole rows: plain elements, no terminal of its own. Its box decides how
 * many are seen; type and line height are the box's too. Only what is mounted is asked for.
 */
export function MiniTerminal({ agentId, runId, rows, isQuiet = false }: MiniTerminalProps): ReactNode {
  const { terminals } = useSession();
  const box = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'waiting' | 'blank' | 'shown'>('waiting');
  useEffect(() => {
    const { current } = box;
    if (runId === undefined || current === null) return undefined;
    const drawn = new DrawnRows(current);
    const tile = terminals.openTile(
      { agentId, rows: Math.min(300, Math.max(2, rows)) },
      {
        onTile: (payload) => {
          drawn.show(payload);
          setState(payload.rows.some((row) => row.length > 0) ? 'shown' : 'blank');
        },
        onEnd: () => setState((now) => (now === 'waiting' ? 'blank' : now)),
      },
    );
    return () => {
      tile.dispose();
      current.replaceChildren();
    };
  }, [terminals, agentId, runId, rows]);

  const note = runId === undefined ? 'Not started yet' : state === 'blank' ? 'Nothing printed yet' : '';
  return (
    <div
      role="img"
      aria-label={`Terminal of ${agentId}, last lines`}
      data-terminal="mini"
      className={`font-code contain-content relative flex h-[round(down,100%,1lh)] min-h-0 flex-none flex-col justify-end overflow-hidden whitespace-pre ${isQuiet ? 'text-t-dim [&_span]:bg-transparent! [&_span]:text-t-dim!' : 'text-t-fg'}`}
    >
      {note === '' ? null : <p className="font-ui text-12 text-t-dim">{note}</p>}
      <div ref={box} className={ROWS} />
    </div>
  );
}
