import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';

/** Whether files are being dragged, and not text or a link of the page. */
const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

/**
 * Takes files that are dropped on the element it stands in, which has to be positioned. Anywhere else in the window they are
 * not taken, and not opened either: a browser would leave the page for a file that was dropped beside.
 */
export function FileDrop({ onDrop }: { readonly onDrop: (files: readonly File[]) => void }): ReactNode {
  const own = useRef<HTMLDivElement>(null);
  const latest = useRef(onDrop);
  const [isOver, setOver] = useState(false);
  useLayoutEffect(() => {
    latest.current = onDrop;
  });

  useEffect(() => {
    const isHere = (event: DragEvent): boolean =>
      event.target instanceof Node && own.current?.parentElement?.contains(event.target) === true;
    const over = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = isHere(event) ? 'copy' : 'none';
      setOver(isHere(event));
    };
    const leave = (event: DragEvent): void => {
      // Nothing is entered instead: the pointer has left the window.
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (isHere(event) && files.length > 0) latest.current(files);
    };
    window.addEventListener('dragover', over);
    window.addEventListener('dragleave', leave);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragover', over);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('drop', drop);
    };
  }, []);

  return (
    <div
      ref={own}
      aria-hidden
      className={isOver ? 'absolute inset-1.5 z-10 rounded-2 border-2 border-dashed border-focus bg-bg-1' : 'hidden'}
    >
      <p className="flex h-full items-center justify-center text-13 font-medium text-tx-1">Drop the files to attach them</p>
    </div>
  );
}
