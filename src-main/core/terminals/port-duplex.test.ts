import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { portDuplex } from './port-duplex.ts';

/** Shaped like Electron's MessagePortMain: events carry the message in `data`. */
class ElectronPort extends EventEmitter {
  readonly posted: unknown[] = [];
  starts = 0;
  closes = 0;

  postMessage(message: unknown): void {
    this.posted.push(message);
  }

  start(): void {
    this.starts += 1;
  }

  close(): void {
    this.closes += 1;
  }
}

describe('a port of Electron', () => {
  it('unwraps messages and starts with the first listener', () => {
    const port = new ElectronPort();
    const duplex = portDuplex(port);
    const received: (Uint8Array | undefined)[] = [];
    expect(port.starts).toBe(0);
    const listening = duplex.onMessage((bytes) => received.push(bytes));
    expect(port.starts).toBe(1);
    port.emit('message', { data: Uint8Array.of(1, 2), ports: [] });
    port.emit('message', { data: Uint8Array.of(3).buffer, ports: [] });
    port.emit('message', { data: 'text', ports: [] });
    port.emit('message', null);
    expect(received).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3), undefined, undefined]);
    listening.dispose();
    expect(port.listenerCount('message')).toBe(0);
  });

  it('sends bytes without the buffer around them, and nothing once closed', () => {
    const port = new ElectronPort();
    const duplex = portDuplex(port);
    duplex.send(new Uint8Array(100).subarray(10, 13));
    expect(port.posted).toEqual([new Uint8Array(3)]);
    expect((port.posted[0] as Uint8Array).buffer.byteLength).toBe(3);
    duplex.close(1001, 'over');
    duplex.close(1001, 'over');
    duplex.send(Uint8Array.of(1));
    expect(port.closes).toBe(1);
    expect(port.posted).toHaveLength(1);
  });

  it('tells when the other side has closed', () => {
    const port = new ElectronPort();
    const duplex = portDuplex(port);
    let closed = 0;
    duplex.onClose(() => {
      closed += 1;
    });
    port.emit('close');
    duplex.send(Uint8Array.of(1));
    expect(closed).toBe(1);
    expect(port.posted).toEqual([]);
  });
});
