import { useEffect } from 'react';
import { pageStorage } from '#renderer/store/page-storage.ts';
import { useWindowState } from '#renderer/store/session-context.tsx';

/** Where the theme is kept for the next start, so that its first frame has it: the settings come over the line later. */
const KEY = 'quarterdeck.theme';

/** Shows the page in the theme of the settings; `system` follows the system. */
export function useTheme(): void {
  const theme = useWindowState((state) => (state.hasCrew ? state.crew.settings.theme : undefined));
  useEffect(() => {
    if (theme === undefined) return;
    pageStorage.setItem(KEY, theme);
    applyTheme(theme);
  }, [theme]);
}

/** The theme that was shown last, for the first frame. */
export function applyKeptTheme(): void {
  applyTheme(pageStorage.getItem(KEY) ?? 'system');
}

function applyTheme(theme: string): void {
  const { dataset } = document.documentElement;
  if (theme === 'dark' || theme === 'light') dataset['theme'] = theme;
  else delete dataset['theme'];
}
