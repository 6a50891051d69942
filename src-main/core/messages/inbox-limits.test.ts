import { afterEach, beforeEach, expect, it } from 'vitest';
import { agentId, ClockedCrew, MINUTE_MS } from './testing/clocked-crew.ts';
import { OPERATOR_CALLER } from './testing/open-messages.ts';

let crew: ClockedCrew;
const BEN = agentId('ben');
const CLEO = agentId('cleo');

beforeEach(async () => {
  crew = await ClockedCrew.open({ more: { limits: { messages: 3, chars: 100 } } });
  crew.t.addAgent('cleo');
});

afterEach(async () => {
  await crew.t.dispose();
});

it('refuses what a full inbox cannot take, until something in it is dealt with', async () => {
  const [first] = [await crew.send(), await crew.send({ delayMs: MINUTE_MS }), await crew.send()];
  await crew.take();
  await expect(crew.send({ idempotencyKey: 'k' })).rejects.toMatchObject({
    code: 'TOO_MANY_REQUESTS',
    retryable: true,
    data: { recipients: ['ben'], retryAfterMs: 5_000 },
  });
  await crew.t.service.markRead({ messageIds: [first] }, crew.ben);
  expect(await crew.send({ idempotencyKey: 'k' })).toMatch(/^msg_/);
});

it('counts characters, too', async () => {
  await crew.send({ body: 'x'.repeat(60), data: 'y'.repeat(40) });
  await expect(crew.send()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
});

it('leaves out who is full and names them, while the others get it', async () => {
  for (let n = 0; n < 3; n += 1) await crew.send();
  const sent = await crew.t.service.send({ to: [BEN, CLEO], body: 'x', kind: 'note', priority: 'normal' }, crew.ada);
  expect(sent).toMatchObject({ recipients: ['cleo'], refused: ['ben'] });
  const { message, deliveries } = await crew.t.service.get({ id: sent.messageId });
  expect([message.to, message.recipients, deliveries.map(({ recipient }) => recipient)]).toEqual([
    ['ben', 'cleo'],
    ['cleo'],
    ['cleo'],
  ]);
});

it('never refuses the operator, nor what the core has to say', async () => {
  for (let n = 0; n < 3; n += 1) await crew.send({ kind: 'request', replyWithinMs: MINUTE_MS, to: agentId('ada') }, crew.ben);
  for (let n = 0; n < 3; n += 1) await crew.send();
  expect(await crew.send({}, OPERATOR_CALLER)).toMatch(/^msg_/);
  await crew.pass(MINUTE_MS);
  expect((await crew.unread()).filter(({ from }) => from.kind === 'system')).toHaveLength(3);
});

it('knows after a restart how full an inbox is', async () => {
  for (let n = 0; n < 3; n += 1) await crew.send();
  const { dir } = crew.t.test;
  const { clock } = crew;
  await crew.t.close();
  crew = await ClockedCrew.open({ dir, clock, more: { limits: { messages: 3, chars: 100 } } });
  await expect(crew.send()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
});
