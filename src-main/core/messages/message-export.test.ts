import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExportFormat } from '#shared/sessions/export-filter.ts';
import { MessageLine } from '#shared/sessions/mirror-lines.ts';
import type { ExportArgs } from './message-export.ts';
import { csvCell, csvRow, exportPiece } from './message-export.ts';
import type { TestMessages } from './testing/open-messages.ts';
import { openMessages, OPERATOR_CALLER } from './testing/open-messages.ts';

let t: TestMessages;
beforeEach(async () => {
  t = await openMessages();
});
afterEach(() => t.dispose());

/** The whole export, and how many messages each piece had. */
async function whole(format: ExportFormat, filter: Partial<ExportArgs> = {}): Promise<{ text: string; pieces: number[] }> {
  let text = '';
  const pieces: number[] = [];
  for (let after: number | null = 0; after !== null;) {
    const piece: { text: string; messages: number; next: number | null } = await t.test.store.read('messages.export', {
      ...filter,
      format,
      after,
    });
    text += piece.text;
    pieces.push(piece.messages);
    after = piece.next;
  }
  return { text, pieces };
}

const lines = (text: string): MessageLine[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => MessageLine.parse(JSON.parse(line)));

describe('an export', { timeout: 90_000 }, () => {
  it('has every message once, oldest first, with how its copies ended, in pieces that stay small', async () => {
    const ada = t.addAgent('ada');
    const sending = Array.from({ length: 1_203 }, (_one, i) =>
      t.service.send({ to: 'operator', body: `${i}`, kind: 'note', priority: 'low' }, ada),
    );
    const sent = (await Promise.all(sending)).map(({ messageId }) => messageId);
    await t.service.markRead({ messageIds: sent.slice(0, 1) }, OPERATOR_CALLER);
    const { text, pieces } = await whole('jsonl');
    expect(lines(text).map(({ message }) => message.id)).toEqual(sent);
    expect(lines(text)[0]?.ends).toMatchObject([{ recipient: 'operator', state: 'read' }]);
    expect(lines(text)[1]?.ends).toEqual([]);
    expect(Math.max(...pieces)).toBeLessThanOrEqual(500);
    expect(pieces.length).toBeGreaterThan(2);
  });

  it('ends a piece before it is large, and holds one message however large', async () => {
    const ada = t.addAgent('ada');
    for (let i = 0; i < 5; i += 1)
      await t.service.send({ to: 'operator', body: 'x'.repeat(60_000), kind: 'note', priority: 'low' }, ada);
    const args: ExportArgs = { format: 'jsonl', after: 0 };
    const piece = t.test.store.peek((db) => exportPiece(db, args, { messages: 500, scanned: 3_000, chars: 130_000 }));
    expect(piece).toMatchObject({ messages: 2, next: 2 });
    expect(
      t.test.store.peek((db) => exportPiece(db, { ...args, after: 4 }, { messages: 500, scanned: 3_000, chars: 10 })),
    ).toMatchObject({
      messages: 1,
      next: null,
    });
  });

  it('takes the filters of the history, and finds what is rare in several pieces', async () => {
    const ada = t.addAgent('ada');
    const bob = t.addAgent('bob');
    const sending = Array.from({ length: 30 }, (_one, i) =>
      t.service.send(
        { to: 'operator', body: `${i}`, kind: i % 10 === 0 ? 'request' : 'note', priority: 'normal' },
        i % 2 === 0 ? ada : bob,
      ),
    );
    await Promise.all(sending);
    expect(lines((await whole('jsonl', { from: 'ada', kind: 'request' })).text).map(({ message }) => message.body)).toEqual([
      '0',
      '10',
      '20',
    ]);
    const session = lines((await whole('jsonl')).text)[0]?.message.sessionId;
    expect(lines((await whole('jsonl', { sessionId: session })).text)).toHaveLength(30);
    expect((await whole('jsonl', { sessionId: 'ses_other' })).text).toBe('');
    let found = 0;
    let after: number | null = 0;
    while (after !== null) {
      const at: number = after;
      const piece = t.test.store.peek((db) =>
        exportPiece(
          db,
          { format: 'jsonl', after: at, projectId: t.projectId, kind: 'request', from: 'ada' },
          { messages: 10, scanned: 4, chars: 10_000 },
        ),
      );
      found += piece.messages;
      after = piece.next;
    }
    expect(found).toBe(3);
  });

  it('is CSV that spreadsheets read as text: headings once, RFC 4180, no formulas', async () => {
    const ada = t.addAgent('ada');
    await t.service.send(
      { to: 'operator', subject: '=1+1', body: 'a "quoted", line\nand more', kind: 'note', priority: 'high' },
      ada,
    );
    const { text } = await whole('csv');
    const [head, row] = text.split('\r\n');
    expect(head).toMatch(/^id,sentAt,from,fromKind,to,recipients,deliveries,kind,priority,subject,body,data,/);
    expect(row).toContain(`,operator:queued,note,high,'=1+1,"a ""quoted"", line\nand more",`);
    const hidden = ['\u200b=x', '\0=x', '\u001f+1', '\ufeff=x', '\uff1d1', '\uff0b1', '\uff0d1', '\uff20x'];
    for (const cell of ['=cmd', '+1', '-1', '@x', '\t=x', ' =x', '\n+1', ...hidden]) expect(csvCell(cell)).toMatch(/^"?'/);
    expect(csvCell('plain - text')).toBe('plain - text');
    expect(csvRow(['a', 'b,c', ''])).toBe('a,"b,c",\r\n');
  });
});
