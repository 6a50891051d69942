/**
 * Keeps toasts off what is pressed at the lower edge of a screen (Send, Take control): they stand above it. Whoever has such
 * a part names it; the highest of those that toasts would cover counts.
 */
import { useEffect } from 'react';
import type { RefObject } from 'react';

/** The room that toasts take from the right edge of the window, in CSS pixels: their width and the gap beside them. */
const TOASTS_PX = 372;
/** The property of the page that holds how much higher toasts stand. */
const PROPERTY = '--toast-lift';

const parts = new Set<Element>();

/** How much higher toasts must stand in a window of this size, in CSS pixels, to leave these boxes free. Pure. */
export function liftFor(
  boxes: readonly Pick<DOMRect, 'top' | 'right' | 'bottom' | 'width'>[],
  { width, height }: { readonly width: number; readonly height: number },
): number {
  const tops = boxes
    // Higher up, hidden, or to the left of the toasts: none of their business. Above half of the window they stay low.
    .filter((box) => box.width > 0 && box.right > width - TOASTS_PX && box.bottom > height * 0.75 && box.top > height / 2)
    .map(({ top }) => height - top);
  return Math.max(0, ...tops);
}

function measure(): void {
  const boxes = [...parts].map((part) => part.getBoundingClientRect());
  const lift = liftFor(boxes, { width: window.innerWidth, height: window.innerHeight });
  document.documentElement.style.setProperty(PROPERTY, `${Math.round(lift)}px`);
}

/** Names a part at the lower edge that toasts leave free, as long as it is there. */
export function useToastClearance(part: RefObject<Element | null>): void {
  useEffect(() => {
    const element = part.current;
    if (element === null) return undefined;
    parts.add(element);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    // What is above or below it may move it without changing its size.
    observer.observe(document.body);
    measure();
    return () => {
      observer.disconnect();
      parts.delete(element);
      measure();
    };
  }, [part]);
}
