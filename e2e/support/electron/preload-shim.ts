/**
 * What runs in the page before it, in the electron emulation: `require('electron')` as a sandboxed preload has it, and
 * page ends of emulated ports. There is no isolated world here: this proves wiring, not isolation.
 */

/** The names under which the emulation's process is called from the page. */
export const BINDINGS = { send: '__emulatedSend', invoke: '__emulatedInvoke', port: '__emulatedPort' } as const;
/** What a new document sends first, under `send`: the ends of ports that the one before had are gone. */
export const DOCUMENT_CHANNEL = 'emulation:document';
/** What a page sends, under `send`, that opens a window: Electron asks the shell before there is one. */
export const OPEN_CHANNEL = 'emulation:open';
/** The name under which the emulation's process calls the page. */
export const ENTRY = '__emulated';

/** What goes through a port, as text: Playwright carries JSON. */
export type PortData = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'bytes'; readonly base64: string };

/** The page's side, as it is called from the emulation's process. */
export interface PageSide {
  /** Hands an IPC message to the preload, with new ports of these ids. */
  deliver(channel: string, message: unknown, portIds: readonly number[]): void;
  portMessage(id: number, data: PortData): void;
  portClosed(id: number): void;
}

/** The script that wraps a built preload. Plain text, because it is put into the page as such. */
export function preloadScript(preload: string): string {
  return `(() => {
  if (window !== window.top) return;
  void window.${BINDINGS.send}('${DOCUMENT_CHANNEL}', []);
  const open = (url) => void window.${BINDINGS.send}('${OPEN_CHANNEL}', [new URL(url, window.location.href).href]);
  window.open = (url) => { open(url ?? 'about:blank'); return null; };
  window.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[target=_blank]') : null;
    if (link === null || event.defaultPrevented) return;
    event.preventDefault();
    open(link.href);
  });
  const listeners = new Map();
  const ports = new Map();
  const encode = (data) => {
    if (typeof data === 'string') return { kind: 'text', text: data };
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    let binary = '';
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return { kind: 'bytes', base64: btoa(binary) };
  };
  const decode = (data) => data.kind === 'text' ? data.text : Uint8Array.from(atob(data.base64), (char) => char.charCodeAt(0));
  const openPort = (id) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event) => void window.${BINDINGS.port}(id, encode(event.data));
    port1.addEventListener('close', () => { if (ports.delete(id)) void window.${BINDINGS.port}(id, null); });
    ports.set(id, port1);
    return port2;
  };
  window.${ENTRY} = {
    deliver(channel, message, portIds) {
      const event = { ports: portIds.map(openPort) };
      for (const listener of listeners.get(channel) ?? []) listener(event, message);
    },
    portMessage(id, data) { ports.get(id)?.postMessage(decode(data)); },
    portClosed(id) { const port = ports.get(id); ports.delete(id); port?.close(); },
  };
  const strict = (name, target) => new Proxy(target, { get(object, key) {
    if (typeof key === 'symbol' || key in object) return object[key];
    throw new Error('electron emulation: ' + name + '.' + key + ' is not emulated');
  } });
  const ipcRenderer = strict('ipcRenderer', {
    send(channel, ...args) { void window.${BINDINGS.send}(channel, structuredClone(args)); },
    invoke(channel, ...args) { return window.${BINDINGS.invoke}(channel, structuredClone(args)); },
    on(channel, listener) { listeners.set(channel, [...(listeners.get(channel) ?? []), listener]); return ipcRenderer; },
  });
  const contextBridge = strict('contextBridge', {
    exposeInMainWorld(name, api) {
      const copy = Object.fromEntries(Object.entries(api).map(([key, value]) => [key, typeof value === 'function' ? (...args) => value(...structuredClone(args)) : structuredClone(value)]));
      Object.defineProperty(window, name, { value: Object.freeze(copy), enumerable: true });
    },
  });
  const module = { exports: {} };
  const exports = module.exports;
  const require = (name) => {
    if (name === 'electron') return strict('electron', { ipcRenderer, contextBridge });
    throw new Error('module not found: ' + name + ' (a sandboxed preload has electron only)');
  };
${preload}
})();`;
}
