/** Hands the page its two ports to the core. The only thing a page can ask of the main process. */
import type { IpcMainEvent, MessagePortMain, WebContents, WebFrameMain } from 'electron';
import { ipcMain, MessageChannelMain } from 'electron';
import { CONNECT_CHANNEL, PORTS_CHANNEL } from './channels.ts';
import { APP_ORIGIN } from './protocol.ts';

/** What takes a port of each kind. */
export interface PortHost {
  serveRpcPort(port: MessagePortMain): void;
  serveTerminalPort(port: MessagePortMain): void;
  /** A page that is not ours asked. */
  onRefused(origin: string): void;
}

/** The frame that may speak: the main frame of a page of ours. The frame is null when it is gone already. */
function trustedFrame(event: IpcMainEvent): WebFrameMain | undefined {
  const frame = event.senderFrame;
  return frame !== null && frame.parent === null && frame.origin === APP_ORIGIN ? frame : undefined;
}

/**
 * Closes our end, and tells who serves it. `close` comes by itself only when the other end closes, and a port whose page
 * is gone is not always collected: without this the core would go on following the journal for nobody.
 */
function end(port: MessagePortMain): void {
  port.close();
  port.emit('close');
}

/** Answers pages that ask for ports: two new ones each time, in place of the ones before. */
export function handOutPorts(host: PortHost): void {
  const given = new WeakMap<WebContents, () => void>();

  const release = (contents: WebContents): void => {
    given.get(contents)?.();
    given.delete(contents);
  };

  ipcMain.on(CONNECT_CHANNEL, (event) => {
    const frame = trustedFrame(event);
    if (frame === undefined) {
      host.onRefused(event.senderFrame?.origin ?? 'a frame that is gone');
      return;
    }
    const contents = event.sender;
    const isNew = !given.has(contents);
    release(contents);
    const rpc = new MessageChannelMain();
    const terminals = new MessageChannelMain();
    given.set(contents, () => {
      end(rpc.port1);
      end(terminals.port1);
    });
    if (isNew) {
      contents.once('destroyed', () => release(contents));
      contents.once('render-process-gone', () => release(contents));
    }
    host.serveRpcPort(rpc.port1);
    host.serveTerminalPort(terminals.port1);
    rpc.port1.start();
    terminals.port1.start();
    frame.postMessage(PORTS_CHANNEL, null, [rpc.port2, terminals.port2]);
  });
}
