/** The size of text in terminals: a setting of all windows, changed here at once and sent when the keys rest. */
import { useEffect, useRef, useState } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { DEFAULT_SETTINGS, FONT_SIZE } from '#shared/settings/model.ts';
import { RestedValue } from './rested-value.ts';

/** Zooming is sent once it has rested for so long, in milliseconds; at once when the terminal or the page is left before. */
const REST_MS = 300;

/** What this window wants, and what was set when it did: what another window sets after that holds here too. */
interface OwnSize {
  readonly px: number;
  readonly kept: number;
}

/** The size in pixels, and a way to change it by a step; 0 is the usual size. */
export function useFontSize(): { readonly fontSize: number; readonly zoom: (step: -1 | 0 | 1) => void } {
  const session = useSession();
  const kept = useWindowState((state) => state.crew.settings.terminalFontSize);
  const [own, setOwn] = useState<OwnSize>();
  const sender = useRef<RestedValue<number>>(undefined);
  // Keys may come faster than the page is drawn: each counts from the one before.
  const newest = useRef<OwnSize>(undefined);
  useEffect(() => {
    const rested = new RestedValue<number>(REST_MS, (px) => {
      // Not kept, it holds in this window until it is left.
      Promise.resolve()
        .then(() => session.client.settings.update({ terminalFontSize: px }))
        .catch(() => undefined);
    });
    const flush = (): void => rested.flush();
    sender.current = rested;
    window.addEventListener('pagehide', flush);
    return () => {
      window.removeEventListener('pagehide', flush);
      rested.dispose();
    };
  }, [session]);
  const zoom = (step: -1 | 0 | 1): void => {
    const now = newest.current?.kept === kept ? newest.current.px : kept;
    const wanted = step === 0 ? DEFAULT_SETTINGS.terminalFontSize : now + step;
    const next = Math.min(FONT_SIZE.most, Math.max(FONT_SIZE.least, wanted));
    if (next === now) return;
    newest.current = { px: next, kept };
    setOwn(newest.current);
    sender.current?.set(next);
  };
  return { fontSize: own?.kept === kept ? own.px : kept, zoom };
}
