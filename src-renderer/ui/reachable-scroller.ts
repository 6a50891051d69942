/**
 * For `ref` of a box that may scroll: while it does, keys can reach it, so that it can be scrolled without a pointer.
 * Returns how to stop, as React wants it.
 */
export function reachableScroller(box: HTMLElement | null): (() => void) | undefined {
  if (box === null) return undefined;
  const look = (): void => {
    if (box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  };
  const observer = new ResizeObserver(look);
  observer.observe(box);
  for (const child of box.children) observer.observe(child);
  look();
  return () => observer.disconnect();
}
