/** Runs beside the page, isolated from it: lets the page ask for ports, and passes the ports on. Holds nothing else. */
import { contextBridge, ipcRenderer } from 'electron';
import { CONNECT_CHANNEL, PORTS_CHANNEL } from './channels.ts';

// A port cannot cross the bridge, so the ports travel by a message of the page to itself.
ipcRenderer.on(PORTS_CHANNEL, (event) => window.postMessage(PORTS_CHANNEL, window.location.origin, [...event.ports]));

contextBridge.exposeInMainWorld('quarterdeck', { connect: () => ipcRenderer.send(CONNECT_CHANNEL) });
