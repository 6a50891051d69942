/** What a spec may ask the emulation's process, over the channel between the two. */
import * as z from 'zod';

const Bounds = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

/** A request of the spec. */
export const ControlRequest = z.object({
  id: z.number(),
  command: z.discriminatedUnion('name', [
    /** Everything the emulation saw, and the state of windows and tray. */
    z.object({ name: z.literal('look') }),
    /** Clicks an entry of the tray's menu. Fails when there is none that can be clicked. */
    z.object({ name: z.literal('click-tray'), label: z.string() }),
    /** Clicks an entry of the app's menu, by the labels that lead to it. Fails when there is none that can be clicked. */
    z.object({ name: z.literal('click-menu'), path: z.array(z.string()) }),
    /** Clicks the newest notification with this title, or one of its buttons by its index. */
    z.object({ name: z.literal('click-notification'), title: z.string(), action: z.number().nullable() }),
    /** What becomes of notifications from now on. */
    z.object({ name: z.literal('notifications'), mode: z.enum(['shown', 'failed', 'unsupported']) }),
    /** The window gets or loses the focus. */
    z.object({ name: z.literal('focus'), isFocused: z.boolean() }),
    /** The operator moves and resizes the window. */
    z.object({ name: z.literal('place-window'), bounds: Bounds }),
    /** The wheel with Ctrl held, over the page. */
    z.object({ name: z.literal('wheel-zoom'), direction: z.enum(['in', 'out']) }),
    /** The window's process ends. */
    z.object({ name: z.literal('crash'), reason: z.string() }),
    /** The window stops answering, or answers again. */
    z.object({ name: z.literal('hang'), isHanging: z.boolean() }),
    /** The next message box is answered with this button. */
    z.object({ name: z.literal('answer-box'), button: z.number() }),
    /** The operator chooses this folder in the next folder dialogs; null: none. */
    z.object({ name: z.literal('choose-folder'), path: z.string().nullable() }),
    /** macOS hands over a deep link. */
    z.object({ name: z.literal('open-url'), url: z.string() }),
    /** A call of the page from a frame that is not ours. Answers the refusal, or null when it was answered. */
    z.object({ name: z.literal('folder-from'), origin: z.string().nullable(), isMainFrame: z.boolean() }),
    /** Closes all windows, or the one at `which`, counted from the first that was opened; as the operator does. */
    z.object({ name: z.literal('close-window'), which: z.number().optional() }),
    /** A second instance was started, with these arguments. */
    z.object({ name: z.literal('second-instance'), args: z.array(z.string()) }),
    /** An IPC message from a frame that is not ours. Answers whether it was given ports. */
    z.object({ name: z.literal('ipc-from'), origin: z.string().nullable(), isMainFrame: z.boolean() }),
    /** Asks for a permission for a page at `url`. Answers whether it was granted. */
    z.object({ name: z.literal('permission'), permission: z.string(), url: z.string() }),
    /** Quits, as from the operating system. */
    z.object({ name: z.literal('quit') }),
  ]),
});
/** A request of the spec. */
export type ControlRequest = z.infer<typeof ControlRequest>;

/** What a spec sees of the shell. */
export const Look = z.object({
  privilegedSchemes: z.array(z.string()),
  openedExternally: z.array(z.string()),
  errorBoxes: z.array(z.string()),
  navigations: z.array(z.object({ url: z.string(), isPrevented: z.boolean() })),
  popups: z.array(z.object({ url: z.string(), action: z.string() })),
  consoleErrors: z.array(z.string()),
  isSandboxed: z.boolean(),
  crashReporter: z.object({ uploadToServer: z.boolean() }).nullable(),
  themeSource: z.string(),
  notifications: z.array(
    z.object({ id: z.string(), title: z.string(), body: z.string(), actions: z.array(z.string()), isOpen: z.boolean() }),
  ),
  messageBoxes: z.array(z.object({ message: z.string(), buttons: z.array(z.string()) })),
  folderDialogs: z.array(z.object({ title: z.string(), startAt: z.string().nullable(), hasWindow: z.boolean() })),
  copied: z.array(z.string()),
  windows: z.array(
    z.object({ isVisible: z.boolean(), isFocused: z.boolean(), url: z.string(), bounds: Bounds, zoom: z.number() }),
  ),
  /** The tray's icon by its file's name, its tooltip, and the labels of its menu; null without a tray. */
  tray: z.object({ icon: z.string(), tooltip: z.string(), labels: z.array(z.string()), menus: z.number() }).nullable(),
  /** The app's menu: labels or roles, by the label or role of each menu. */
  menu: z.record(z.string(), z.array(z.string())),
});
/** What a spec sees of the shell. */
export type Look = z.infer<typeof Look>;

/** The answer. */
export const ControlAnswer = z.object({ id: z.number(), value: z.unknown().optional(), problem: z.string().optional() });
