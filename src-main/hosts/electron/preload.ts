/** Runs beside the page, isolated from it: four names of channels, and nothing else. What is asked is judged in the main process. */
import { contextBridge, ipcRenderer } from 'electron';
import { CHOOSE_FOLDER_CHANNEL, CONNECT_CHANNEL, NAVIGATE_CHANNEL, PORTS_CHANNEL } from './channels.ts';

// A port cannot cross the bridge, so the ports travel by a message of the page to itself.
ipcRenderer.on(PORTS_CHANNEL, (event) => window.postMessage(PORTS_CHANNEL, window.location.origin, [...event.ports]));
ipcRenderer.on(NAVIGATE_CHANNEL, (_event, path: unknown) =>
  window.postMessage({ type: NAVIGATE_CHANNEL, path }, window.location.origin),
);

contextBridge.exposeInMainWorld('quarterdeck', {
  connect: () => ipcRenderer.send(CONNECT_CHANNEL),
  chooseFolder: (request: unknown) => ipcRenderer.invoke(CHOOSE_FOLDER_CHANNEL, request),
});
