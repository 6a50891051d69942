/** Draws the terminal that is worked in by the graphics card, where there is one; every other by the page's own elements. */
import type { Terminal } from '@xterm/xterm';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';

/** Renderers that are programs: slower than the page's own elements (measured). */
const IN_SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

let isFast: boolean | undefined;

/** Whether WebGL 2 is there and drawn by hardware. Asked once: every context is one of about sixteen. */
function hasFastWebgl(): boolean {
  isFast ??= askForWebgl();
  return isFast;
}

function askForWebgl(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  if (context === null) return false;
  const info = context.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = info === null ? '' : context.getParameter(info.UNMASKED_RENDERER_WEBGL);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return typeof name === 'string' && name !== '' && !IN_SOFTWARE.test(name);
}

/** Has `terminal` drawn by WebGL from its first focus on, until the context is lost or the result is disposed of. */
export function drawFastOnFocus(terminal: Terminal): Disposable {
  let isOver = false;
  let loaded: Disposable | undefined;
  const load = async (): Promise<void> => {
    const { WebglAddon } = await import('@xterm/addon-webgl');
    if (isOver) return;
    const addon = new WebglAddon();
    loaded = addon;
    addon.onContextLoss(() => {
      // xterm goes on with the page's elements. It is not tried again: what took the context may take it again.
      loaded = undefined;
      addon.dispose();
    });
    terminal.loadAddon(addon);
  };
  const onFocus = (): void => {
    terminal.textarea?.removeEventListener('focus', onFocus);
    if (hasFastWebgl()) load().catch(() => undefined);
  };
  terminal.textarea?.addEventListener('focus', onFocus);
  return toDisposable(() => {
    isOver = true;
    terminal.textarea?.removeEventListener('focus', onFocus);
    loaded?.dispose();
  });
}
