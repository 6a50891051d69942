/** BrowserWindow and WebContents for the electron emulation: a page of Chromium, driven by Playwright. */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type { BrowserContext, Page, Route } from '@playwright/test';
import * as z from 'zod';
import { fromHttp, record, toHttp } from './emulation-state.ts';
import type { EmulatedPort } from './emulated-ports.ts';
import { PageRelay } from './emulated-ports.ts';
import { BINDINGS, DOCUMENT_CHANNEL, OPEN_CHANNEL, preloadScript } from './preload-shim.ts';
import { strict } from './strict.ts';

/** The options that are looked at; an insecure one is refused, whatever it is for. */
const WindowOptions = z.looseObject({
  width: z.number(),
  height: z.number(),
  x: z.number().optional(),
  y: z.number().optional(),
  show: z.boolean().default(true),
  webPreferences: z.strictObject({
    preload: z.string(),
    contextIsolation: z.literal(true),
    sandbox: z.literal(true),
    nodeIntegration: z.literal(false),
    spellcheck: z.boolean().optional(),
  }),
});

/** What windows need of the rest of the emulation. */
export interface WindowHost {
  context(): Promise<BrowserContext>;
  handlerOf(scheme: string): ((request: Request) => Response | Promise<Response>) | undefined;
  onContents(contents: EmulatedContents): void;
  onIpc(channel: string, event: object, args: readonly unknown[]): void;
  onInvoke(channel: string, event: object, args: readonly unknown[]): Promise<unknown>;
  onAllClosed(): void;
}

/** The windows that are open. */
export const windows = new Set<BrowserWindow>();
let host: WindowHost | undefined;
let lastContentsId = 0;

/** Connects the windows with the rest of the emulation; once. */
export function setWindowHost(newHost: WindowHost): void {
  host = newHost;
}

function theHost(): WindowHost {
  if (!host) throw new Error('electron emulation: the window host is missing');
  return host;
}

/** An event that a listener may prevent. */
export function preventable(facts: object): { readonly isPrevented: boolean; readonly event: object } {
  const state = { isPrevented: false };
  const event = { ...facts, preventDefault: () => (state.isPrevented = true) };
  return {
    event,
    get isPrevented() {
      return state.isPrevented;
    },
  };
}

type OpenHandler = (details: { url: string }) => { action: string };

/** WebContents, as far as the shell uses it. */
export class EmulatedContents extends EventEmitter {
  readonly id: number;
  page: Page | undefined;
  relay: PageRelay | undefined;
  openHandler: OpenHandler | undefined;
  zoom = 1;
  /** The address of a page whose process has ended: the contents still have it. */
  #lastUrl = '';

  constructor() {
    super();
    lastContentsId += 1;
    this.id = lastContentsId;
  }

  getURL(): string {
    const url = this.page ? fromHttp(this.page.url()) : '';
    return url === 'about:blank' ? this.#lastUrl : url;
  }

  send(channel: string, ...args: readonly unknown[]): void {
    this.relay?.deliver(channel, args[0], []);
  }

  setZoomFactor(factor: number): void {
    this.zoom = factor;
  }

  forcefullyCrashRenderer(): void {
    this.crash('killed').catch(() => undefined);
  }

  /** Ends the page, as the end of its process does. */
  async crash(reason: string): Promise<void> {
    this.#lastUrl = this.getURL();
    await this.page?.goto('about:blank');
    this.emit('render-process-gone', {}, { reason, exitCode: 139 });
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }

  /** The main frame as WebFrameMain. */
  frame(): object {
    return strict('WebFrameMain', {
      parent: null,
      url: this.getURL(),
      origin: this.getURL().replace(/^(\w+:\/\/[^/]+).*$/, '$1'),
      postMessage: (channel: string, message: unknown, ports: readonly EmulatedPort[] = []) =>
        this.relay?.deliver(channel, message, ports),
    });
  }
}

/** `new BrowserWindow(options)`. */
class EmulatedWindow extends EventEmitter {
  readonly contents = new EmulatedContents();
  readonly webContents = strict('WebContents', this.contents);
  readonly #options: z.output<typeof WindowOptions>;
  #isVisible: boolean;
  #isFocused = false;
  #isMaximised = false;
  #isDestroyed = false;
  #isLoading = false;
  #bounds: { x: number; y: number; width: number; height: number };

  constructor(options: unknown) {
    super();
    this.#options = WindowOptions.parse(options);
    this.#isVisible = this.#options.show;
    const { x = 0, y = 0, width, height } = this.#options;
    this.#bounds = { x, y, width, height };
    windows.add(this);
    theHost().onContents(this.webContents);
  }

  get isVisible(): boolean {
    return this.#isVisible;
  }

  async loadURL(url: string): Promise<void> {
    const page = this.contents.page ?? (await this.#openPage());
    this.#isLoading = true;
    await page.goto(toHttp(url));
    this.emit('ready-to-show');
  }

  show(): void {
    this.#isVisible = true;
    this.setFocused(true);
  }

  focus(): void {
    this.setFocused(true);
  }

  isFocused(): boolean {
    return this.#isFocused;
  }

  setFocused(isFocused: boolean): void {
    this.#isFocused = isFocused;
    this.emit(isFocused ? 'focus' : 'blur');
  }

  isMinimized(): boolean {
    return false;
  }

  isMaximized(): boolean {
    return this.#isMaximised;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  maximize(): void {
    this.#isMaximised = true;
    this.emit('maximize');
  }

  restore(): void {}

  getNormalBounds(): { x: number; y: number; width: number; height: number } {
    return { ...this.#bounds };
  }

  /** As the operator moves and resizes it. */
  async place(bounds: { x: number; y: number; width: number; height: number }): Promise<void> {
    this.#bounds = bounds;
    await this.contents.page?.setViewportSize({ width: bounds.width, height: bounds.height });
    this.emit('move');
    this.emit('resize');
  }

  /** As the operator closes it. */
  async close(): Promise<void> {
    const closing = preventable({});
    this.emit('close', closing.event);
    if (closing.isPrevented) return;
    this.#isDestroyed = true;
    windows.delete(this);
    this.webContents.relay?.reset();
    await this.webContents.page?.close();
    this.webContents.emit('destroyed');
    this.emit('closed');
    if (windows.size === 0) theHost().onAllClosed();
  }

  async #openPage(): Promise<Page> {
    const { contents } = this;
    const context = await theHost().context();
    const page = await context.newPage();
    await page.setViewportSize({ width: this.#options.width, height: this.#options.height });
    contents.page = page;
    contents.relay = new PageRelay(page);
    await contents.relay.open();
    await page.exposeFunction(BINDINGS.send, (channel: string, args: unknown[]) => {
      // Not Playwright's framenavigated: that one also comes when a page changes its own address.
      if (channel === DOCUMENT_CHANNEL) contents.relay?.reset();
      else if (channel === OPEN_CHANNEL) this.#askAboutPopup(String(args[0]));
      else theHost().onIpc(channel, { sender: contents, senderFrame: contents.frame() }, args);
    });
    await page.exposeFunction(BINDINGS.invoke, (channel: string, args: unknown[]) =>
      theHost().onInvoke(channel, { sender: contents, senderFrame: contents.frame() }, args),
    );
    // Loading another document is told like this too; nothing here listens for the difference.
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame()) contents.emit('did-navigate-in-page', {});
    });
    page.on('load', () => {
      if (page.url() !== 'about:blank') contents.emit('did-finish-load');
    });
    await page.addInitScript(preloadScript(readFileSync(this.#options.webPreferences.preload, 'utf8')));
    await page.route(/^http:\/\/\w+--[\w.-]+\.localhost\//, serve);
    page.on('console', (message) => {
      if (message.type() === 'error') record.consoleErrors.push(message.text());
    });
    page.on('pageerror', (error) => record.consoleErrors.push(String(error)));
    // A navigation is asked about before it goes out: what the shell prevents is aborted.
    await page.route('**/*', async (route) => {
      if (await this.#isRefused(route)) await route.abort('aborted');
      else await route.fallback();
    });
    return page;
  }

  async #isRefused(route: Route): Promise<boolean> {
    const request = route.request();
    if (!request.isNavigationRequest()) return false;
    if (this.#isLoading) {
      this.#isLoading = false;
      return false;
    }
    const url = fromHttp(request.url());
    const isMainFrame = request.frame().parentFrame() === null;
    const navigation = preventable({ url, isMainFrame });
    if (isMainFrame) this.webContents.emit('will-navigate', navigation.event);
    this.webContents.emit('will-frame-navigate', navigation.event);
    record.navigations.push({ url, isPrevented: navigation.isPrevented });
    return navigation.isPrevented;
  }

  /** Asks the shell about a window that the page would open. */
  #askAboutPopup(address: string): void {
    const url = fromHttp(address);
    const action = this.contents.openHandler?.({ url }).action ?? 'allow';
    record.popups.push({ url, action });
    if (action !== 'deny') throw new Error('electron emulation: a window opened by a page is not emulated');
  }
}

/** `BrowserWindow`, whose instances say what is not emulated. */
export class BrowserWindow extends EmulatedWindow {
  static fromWebContents(contents: EmulatedContents): EmulatedWindow | null {
    return [...windows].find((window) => window.contents === contents || window.webContents === contents) ?? null;
  }

  constructor(options: unknown) {
    super(options);
    return strict('BrowserWindow', this);
  }
}

/** Answers a request of the page out of the shell's own protocol handler: policy and confinement are the real ones. */
async function serve(route: Route): Promise<void> {
  const request = route.request();
  const url = fromHttp(request.url());
  const handler = theHost().handlerOf(url.split(':', 1)[0] ?? '');
  if (!handler) {
    await route.abort();
    return;
  }
  const response = await handler(new Request(url, { method: request.method(), headers: request.headers() }));
  await route.fulfill({
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  });
}
