/** The download of an export: whole, broken off when it fails, and never ahead of who takes it. */
import { request } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { AppError } from '#shared/kernel/errors.ts';
import type { TestDoors } from './testing/open-doors.ts';
import { openDoors, TOKENS } from './testing/open-doors.ts';

const open: TestDoors[] = [];
afterEach(async () => {
  for (const doors of open.splice(0)) await doors.dispose();
});

/** Doors whose export has so many pieces of so many characters. */
async function doorsWith(pieces: number, chars: number, failsAt = Infinity): Promise<{ doors: TestDoors; asked: unknown[] }> {
  const asked: unknown[] = [];
  const doors = await openDoors({
    sessions: {
      exportPage: async (input) => {
        asked.push(input);
        const at = Number(input.after ?? 0);
        if (at >= failsAt) throw new AppError('UNAVAILABLE', 'gone');
        return { text: `${String(at).repeat(chars)}\n`, messages: 1, next: at + 1 < pieces ? String(at + 1) : null };
      },
    },
  });
  open.push(doors);
  return { doors, asked };
}

it('is one file of all pieces, with the filters that were stated', { timeout: 60_000 }, async () => {
  const { doors, asked } = await doorsWith(3, 2);
  const answer = await doors.fetch('/api/v1/messages:export?format=csv&participant=ada&forOperator=false');
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="messages.csv"');
  expect(await answer.text()).toBe('00\n11\n22\n');
  expect(asked[1]).toEqual({ format: 'csv', participant: 'ada', forOperator: false, after: '1' });
  expect((await doors.fetch('/api/v1/messages:export')).headers.get('content-type')).toBe('application/x-ndjson');
});

it('refuses what it does not know, whoever may not read, and other methods', { timeout: 60_000 }, async () => {
  const { doors } = await doorsWith(1, 1);
  const unknown = await doors.fetch('/api/v1/messages:export?color=red');
  expect([unknown.status, await unknown.json()]).toEqual([400, expect.objectContaining({ message: containing('"color"') })]);
  const wrong = await doors.fetch('/api/v1/messages:export?kind=poem');
  expect([wrong.status, await wrong.json()]).toEqual([400, expect.objectContaining({ message: containing('"kind"') })]);
  expect((await doors.fetch('/api/v1/messages:export', { method: 'POST', body: '{}' })).status).toBe(405);
  expect((await fetch(new URL('/api/v1/messages:export', doors.info.url))).status).toBe(401);
  const agent = { headers: { authorization: `Bearer ${TOKENS.agent}` } };
  expect((await fetch(new URL('/api/v1/messages:export', doors.info.url), agent)).status).toBe(403);
});

it('is an error when it cannot begin, and is broken off when it cannot go on', { timeout: 60_000 }, async () => {
  const { doors } = await doorsWith(3, 1, 0);
  expect((await doors.fetch('/api/v1/messages:export')).status).toBe(503);
  const { doors: later } = await doorsWith(3, 1, 1);
  const answer = await later
    .fetch('/api/v1/messages:export')
    .then((response) => response.text())
    .catch((error: unknown) => error);
  expect(answer).toBeInstanceOf(Error);
});

it('asks for no further piece while nobody takes what there is', { timeout: 60_000 }, async () => {
  const pieces = 400;
  const { doors, asked } = await doorsWith(pieces, 200_000);
  const taken = await new Promise<number>((resolve, reject) => {
    const sent = request(
      new URL('/api/v1/messages:export', doors.info.url),
      { headers: { authorization: `Bearer ${TOKENS.operator}` }, agent: false },
      (response) => {
        // Not read: the line fills up, and the core stops where it is.
        response.pause();
        let before = -1;
        const look = setInterval(() => {
          if (asked.length > 0 && asked.length === before) {
            clearInterval(look);
            response.destroy();
            resolve(before);
          }
          before = asked.length;
        }, 500);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
  expect(taken).toBeLessThan(pieces / 2);
  await expect.poll(() => doors.doors.counts().calls, { timeout: 30_000 }).toBe(0);
});

/** A matcher for texts that contain something; typed, as vitest's own is not. */
function containing(text: string): unknown {
  return expect.stringContaining(text);
}
