/** Messages into a file of the browser's: straight from the core's own door in a browser, in pieces in the desktop app. */
import type { CoreClient } from '#renderer/connection/line.ts';
import type { ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { ExportFormat } from '#shared/sessions/export-filter.ts';

/** Which messages. */
export interface ExportChoice {
  readonly format: ExportFormat;
  readonly projectId: ProjectId | undefined;
  readonly sessionId: SessionId | undefined;
}

function save(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

/** Saves them as `messages.jsonl` or `messages.csv`. Resolves when the browser has taken over; rejects as the call does. */
export async function exportMessages(client: () => CoreClient, { format, projectId, sessionId }: ExportChoice): Promise<void> {
  const chosen = { format, ...(projectId === undefined ? {} : { projectId }), ...(sessionId === undefined ? {} : { sessionId }) };
  const name = `messages.${format}`;
  if (location.protocol.startsWith('http')) {
    // The browser shows how far it is, and writes to the disk: however many there are.
    save(`/api/v1/messages:export?${new URLSearchParams(chosen).toString()}`, name);
    return;
  }
  const pieces: string[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const piece = await client().sessions.exportPage(after === undefined ? chosen : { ...chosen, after });
    pieces.push(piece.text);
    after = piece.next;
  }
  const url = URL.createObjectURL(new Blob(pieces, { type: 'application/octet-stream' }));
  save(url, name);
  URL.revokeObjectURL(url);
}
