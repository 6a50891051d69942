/** What a spec may ask the emulation's process, over the channel between the two. */
import * as z from 'zod';

/** A request of the spec. */
export const ControlRequest = z.object({
  id: z.number(),
  command: z.discriminatedUnion('name', [
    /** Everything the emulation saw, and the state of windows and tray. */
    z.object({ name: z.literal('look') }),
    /** Clicks an entry of the tray's menu. */
    z.object({ name: z.literal('click-tray'), label: z.string() }),
    /** Closes the window, as the operator does. */
    z.object({ name: z.literal('close-window') }),
    /** A second instance was started. */
    z.object({ name: z.literal('second-instance') }),
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
  windows: z.array(z.object({ isVisible: z.boolean() })),
  trayLabels: z.array(z.string()),
});
/** What a spec sees of the shell. */
export type Look = z.infer<typeof Look>;

/** The answer. */
export const ControlAnswer = z.object({ id: z.number(), value: z.unknown().optional(), problem: z.string().optional() });
