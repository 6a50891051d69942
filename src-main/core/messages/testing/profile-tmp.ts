import { openMessages, agentCaller } from './open-messages.ts';
import { MessageId } from '#shared/kernel/ids.ts';
const AGENTS = 200, RATE = Number(process.argv[2] ?? 1000), SECONDS = Number(process.argv[3] ?? 8), STORED = Number(process.argv[4] ?? 0);
const t = await openMessages();
const body = 'x'.repeat(500);
const ids = Array.from({ length: AGENTS }, (_, i) => `agent-${i}`);
for (const id of ids) t.addAgent(id);
const send = (from: string, to: string) => t.service.send({ to: to as never, body, kind: 'note', priority: 'normal' }, agentCaller(from));
if (STORED) {
  const s = performance.now();
  for (let i = 0; i < STORED; i += 400) {
    const r = await Promise.all(Array.from({ length: 400 }, (_, j) => send(ids[(i + j) % AGENTS]!, ids[(i + j * 7) % AGENTS]!)));
    const by = new Map<string, string[]>();
    for (const x of r) { const l = by.get(x.recipients[0]!) ?? []; l.push(x.messageId); by.set(x.recipients[0]!, l); }
    await Promise.all([...by].map(([to, m]) => t.service.markRead({ messageIds: m as never }, agentCaller(to))));
  }
  console.log('stored', STORED, 'send+ack/s', Math.round(STORED / ((performance.now() - s) / 1000)));
}
const sentAt = new Map<number, number>();
let n = 0; const lat: number[] = []; const sendLat: number[] = [];
let stop = false;
const ac = new AbortController();
const loops = ids.map(async (id) => {
  while (!stop) {
    const page = await t.service.wait({ timeoutMs: 2000, limit: 50 }, agentCaller(id), ac.signal);
    const now = performance.now();
    for (const m of page.messages) lat.push(now - (m.data as { at: number }).at);
    if (page.messages.length) await t.service.markRead({ messageIds: page.messages.map((m) => MessageId.parse(m.id)) }, agentCaller(id));
  }
});
let maxGap = 0; let last = performance.now(); const gaps: number[] = [];
const ticker = setInterval(() => { const now = performance.now(); gaps.push(now - last - 1); last = now; }, 1);
const start = performance.now();
const cpu = process.cpuUsage();
while (performance.now() - start < SECONDS * 1000) {
  const due = Math.floor(((performance.now() - start) / 1000) * RATE);
  while (n < due) {
    n += 1;
    const at = performance.now();
    t.service.send({ to: ids[n % AGENTS] as never, body, kind: 'note', priority: 'normal', data: { at } }, agentCaller(ids[(n * 13) % AGENTS]!)).then(() => sendLat.push(performance.now() - at), console.error);
  }
  await new Promise((r) => setImmediate(r));
}
const used = process.cpuUsage(cpu);
stop = true; 
await new Promise((r) => setTimeout(r, 200));
ac.abort();
await Promise.all(loops);
clearInterval(ticker);
const q = (a: number[], p: number) => { a.sort((x, y) => x - y); return a[Math.min(a.length - 1, Math.floor(a.length * p))]?.toFixed(3); };
console.log({ sent: n, got: lat.length, p50: q(lat, 0.5), p99: q(lat, 0.99), sendP50: q(sendLat, 0.5), sendP99: q(sendLat, .99), gap999: q(gaps, 0.999), gapMax: q(gaps, 1), stats: t.test.store.stats(), cpu: (used.user + used.system) / 1e6 / SECONDS, rss: process.memoryUsage().rss/1e6 });
await t.dispose();
void maxGap;
