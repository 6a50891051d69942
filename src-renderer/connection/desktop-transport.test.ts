import { once } from 'node:events';
import { expect, it } from 'vitest';
import { desktopTransport, PORTS_MESSAGE } from './desktop-transport.ts';

/** A page that the preload posts ports to, as far as the transport uses it. */
function makePage() {
  const page = new EventTarget();
  const hand = () => {
    const channels = [new MessageChannel(), new MessageChannel()] as const;
    const event = new Event('message');
    Object.assign(event, { source: page, data: PORTS_MESSAGE, ports: channels.map(({ port1 }) => port1) });
    page.dispatchEvent(event);
    return channels.map(({ port2 }) => port2);
  };
  return { page: page as unknown as Window, hand };
}

const closed = (port: MessagePort | undefined) => once(port ?? new EventTarget(), 'close');

it('takes the ports it asked for', async () => {
  const { page, hand } = makePage();
  let handed: MessagePort[] = [];
  const transport = desktopTransport({ connect: () => void (handed = hand()), chooseFolder: async () => null }, page);
  const line = await transport.openLine(new AbortController().signal);
  const pipe = await transport.openTerminals(new AbortController().signal);
  const both = Promise.all(handed.map(closed));
  line.close();
  pipe.close();
  await expect(both).resolves.toHaveLength(2);
});

it('closes ports that come when nobody waits for them any more', async () => {
  const { page, hand } = makePage();
  let asked = 0;
  const transport = desktopTransport({ connect: () => void (asked += 1), chooseFolder: async () => null }, page);
  const giveUp = new AbortController();
  const line = transport.openLine(giveUp.signal);
  giveUp.abort();
  await expect(line).rejects.toThrow('did not hand over');
  expect(asked).toBe(1);
  await expect(Promise.all(hand().map(closed))).resolves.toHaveLength(2);
  // Nor does it ask for somebody who has gone already.
  await expect(transport.openLine(AbortSignal.abort())).rejects.toThrow('did not hand over');
  expect(asked).toBe(1);
});
