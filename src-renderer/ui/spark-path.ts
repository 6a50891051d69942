/**
 * The path of a sparkline: one line through the values, with gaps where nothing was measured, and the ground line.
 * `top` is the value at the upper edge; what is above it is drawn there. All measures in pixels, to a tenth.
 */
export function sparkPath(values: readonly (number | null)[], top: number, width: number, height: number): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const y = (value: number): number => {
    const share = top > 0 ? Math.min(Math.max(value / top, 0), 1) : 0;
    return Math.round((height - 0.5 - share * (height - 1)) * 10) / 10;
  };
  let isDrawing = false;
  let path = '';
  values.forEach((value, index) => {
    if (value === null) {
      isDrawing = false;
      return;
    }
    const x = Math.round(index * step * 10) / 10;
    // A lone value is a dot: a line of no length with round ends.
    const isLone = !isDrawing && (values[index + 1] ?? null) === null;
    path += `${isDrawing ? 'L' : 'M'}${x} ${y(value)}${isLone ? 'h0' : ''}`;
    isDrawing = true;
  });
  return path;
}
