/**
 * What a page can ask of the main process, all of it: its two ports to the core, and a folder that the operator chooses.
 * Everything else goes over the ports, through the contract.
 */
import type { IpcMainEvent, IpcMainInvokeEvent, MessagePortMain, WebContents, WebFrameMain } from 'electron';
import { BrowserWindow, dialog, ipcMain, MessageChannelMain } from 'electron';
import * as z from 'zod';
import { CHOOSE_FOLDER_CHANNEL, CONNECT_CHANNEL, PORTS_CHANNEL } from './channels.ts';
import { APP_ORIGIN } from './protocol.ts';

/** What takes a port of each kind. */
export interface PortHost {
  serveRpcPort(port: MessagePortMain): void;
  serveTerminalPort(port: MessagePortMain): void;
  /** A page that is not ours asked. */
  onRefused(origin: string): void;
}

/** The frame that may speak: the main frame of a page of ours. The frame is null when it is gone already. */
function trustedFrame(event: IpcMainEvent | IpcMainInvokeEvent): WebFrameMain | undefined {
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

/** What a page may say about the folder it asks for. */
const FolderRequest = z
  .strictObject({ title: z.string().max(120).optional(), startAt: z.string().max(4_096).optional() })
  .prefault({});

/** Lets pages ask for a folder: the system's own dialog, over the page's window. Answers its path, or null when none was chosen. */
export function offerFolders(onRefused: (origin: string) => void): void {
  ipcMain.handle(CHOOSE_FOLDER_CHANNEL, async (event, request: unknown): Promise<string | null> => {
    if (trustedFrame(event) === undefined) {
      onRefused(event.senderFrame?.origin ?? 'a frame that is gone');
      throw new Error('Only the window of Quarterdeck may ask for a folder.');
    }
    const { title, startAt } = FolderRequest.parse(request ?? undefined);
    const window = BrowserWindow.fromWebContents(event.sender);
    const options: Electron.OpenDialogOptions = {
      title: title ?? 'Choose a folder',
      buttonLabel: 'Choose',
      properties: ['openDirectory', 'createDirectory'],
      ...(startAt === undefined ? {} : { defaultPath: startAt }),
    };
    const { canceled, filePaths } =
      window === null ? await dialog.showOpenDialog(options) : await dialog.showOpenDialog(window, options);
    return canceled ? null : (filePaths[0] ?? null);
  });
}
