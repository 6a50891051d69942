/** Sessions in words. Pure. */
import type { SessionSummary } from '#shared/sessions/model.ts';

const moment = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** A session in a list: "this one", "20 Nov, 14:02", "imported 20 Nov, 14:02". */
export function sessionText({
  isCurrent,
  startedAt,
  origin,
}: Pick<SessionSummary, 'isCurrent' | 'startedAt' | 'origin'>): string {
  if (isCurrent) return 'this one';
  return `${origin === 'import' ? 'imported ' : ''}${moment.format(startedAt)}`;
}

/** From when to when it was, and where it comes from. */
export function sessionSpan({ startedAt, endedAt, importedFrom }: SessionSummary): string {
  const end = endedAt === null ? 'not ended cleanly' : `to ${moment.format(endedAt)}`;
  return `${moment.format(startedAt)} ${endedAt === null ? `(${end})` : end}${importedFrom === null ? '' : `, imported from ${importedFrom}`}`;
}
