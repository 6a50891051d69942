/** The size of text in terminals: a setting of all windows, changed here at once and sent when the keys rest. */
import { useEffect, useRef, useState } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { DEFAULT_SETTINGS, FONT_SIZE } from '#shared/settings/model.ts';

/** Zooming is sent once it has rested for so long, in milliseconds. */
const REST_MS = 300;

/** The size in pixels, and a way to change it by a step; 0 is the usual size. */
export function useFontSize(): { readonly fontSize: number; readonly zoom: (step: -1 | 0 | 1) => void } {
  const session = useSession();
  const kept = useWindowState((state) => state.crew.settings.terminalFontSize);
  // What this window wants, and what was set when it did: what another window sets after that holds here too.
  const [own, setOwn] = useState<{ readonly px: number; readonly kept: number }>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const fontSize = own?.kept === kept ? own.px : kept;
  const zoom = (step: -1 | 0 | 1): void => {
    const wanted = step === 0 ? DEFAULT_SETTINGS.terminalFontSize : fontSize + step;
    const next = Math.min(FONT_SIZE.most, Math.max(FONT_SIZE.least, wanted));
    if (next === fontSize) return;
    setOwn({ px: next, kept });
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      // Not kept, it holds in this window until it is left.
      Promise.resolve()
        .then(() => session.client.settings.update({ terminalFontSize: next }))
        .catch(() => undefined);
    }, REST_MS);
  };
  return { fontSize, zoom };
}
