/** What the electron emulation saw: the shell's acts, for the spec to look at. */

/** Everything the emulation remembers. */
export interface EmulationRecord {
  readonly privilegedSchemes: string[];
  readonly openedExternally: string[];
  readonly errorBoxes: string[];
  /** Navigations that a page tried, and whether the shell prevented them. */
  readonly navigations: { readonly url: string; readonly isPrevented: boolean }[];
  readonly popups: { readonly url: string; readonly action: string }[];
  readonly consoleErrors: string[];
  /** Notifications in the order in which they were shown, with what became of each. */
  readonly notifications: {
    readonly id: string;
    readonly title: string;
    readonly body: string;
    readonly actions: string[];
    isOpen: boolean;
  }[];
  readonly messageBoxes: { readonly message: string; readonly buttons: string[] }[];
  readonly folderDialogs: { readonly title: string; readonly startAt: string | null; readonly hasWindow: boolean }[];
  readonly copied: string[];
  /** Options of the crash reporter; null while it is not started. */
  crashReporter: { readonly uploadToServer: boolean } | null;
  isSandboxed: boolean;
  hasQuit: boolean;
}

/** The one record of this process. */
export const record: EmulationRecord = {
  privilegedSchemes: [],
  openedExternally: [],
  errorBoxes: [],
  navigations: [],
  popups: [],
  consoleErrors: [],
  notifications: [],
  messageBoxes: [],
  folderDialogs: [],
  copied: [],
  crashReporter: null,
  isSandboxed: false,
  hasQuit: false,
};

/** The address that Chromium is given for one of a custom scheme: it cannot be told of new schemes from outside. */
export function toHttp(url: string): string {
  return url.replace(/^(\w+):\/\/([\w.-]+)/, (_all, scheme: string, host: string) => `http://${scheme}--${host}.localhost`);
}

/** The other way round; other addresses stay as they are. */
export function fromHttp(url: string): string {
  return url.replace(/^http:\/\/(\w+)--([\w.-]+)\.localhost/, (_all, scheme: string, host: string) => `${scheme}://${host}`);
}
