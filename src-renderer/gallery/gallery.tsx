import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { Segmented } from '#renderer/ui/segmented.tsx';
import { Toaster } from '#renderer/ui/toast.tsx';
import { TooltipProvider } from '#renderer/ui/tooltip.tsx';
import { ButtonPage } from './pages/button-page.tsx';
import { ChoicePage } from './pages/choice-page.tsx';
import { DialogPage } from './pages/dialog-page.tsx';
import { FeedbackPage } from './pages/feedback-page.tsx';
import { FieldPage } from './pages/field-page.tsx';
import { FontPage } from './pages/font-page.tsx';
import { ListPage } from './pages/list-page.tsx';
import { MarkPage } from './pages/mark-page.tsx';
import { MenuPage } from './pages/menu-page.tsx';
import { TablePage } from './pages/table-page.tsx';
import { TabsPage } from './pages/tabs-page.tsx';
import { ToastPage } from './pages/toast-page.tsx';
import { TokenPage } from './pages/token-page.tsx';

const PAGES: Readonly<Record<string, { readonly title: string; readonly Page: () => ReactNode }>> = {
  button: { title: 'Buttons', Page: ButtonPage },
  menu: { title: 'Menus', Page: MenuPage },
  choice: { title: 'Choices', Page: ChoicePage },
  field: { title: 'Fields', Page: FieldPage },
  tabs: { title: 'Tabs', Page: TabsPage },
  dialog: { title: 'Dialogs', Page: DialogPage },
  table: { title: 'Tables', Page: TablePage },
  list: { title: 'Lists', Page: ListPage },
  mark: { title: 'Marks', Page: MarkPage },
  feedback: { title: 'Feedback', Page: FeedbackPage },
  toast: { title: 'Toasts', Page: ToastPage },
  token: { title: 'Tokens', Page: TokenPage },
  font: { title: 'Fonts', Page: FontPage },
};

const FIRST = 'button';

type Theme = 'system' | 'light' | 'dark';
const THEMES = [
  { value: 'system', text: 'System' },
  { value: 'light', text: 'Light' },
  { value: 'dark', text: 'Dark' },
] as const;

/** All pages, one at a time, by the fragment of the address: `gallery.html#menu`. */
export function Gallery(): ReactNode {
  const [theme, setTheme] = useState<Theme>('system');
  const [shown, setShown] = useState(location.hash.slice(1));
  useEffect(() => {
    const follow = (): void => setShown(location.hash.slice(1));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);

  const name = shown in PAGES ? shown : FIRST;
  const page = PAGES[name];
  if (page === undefined) return null;
  return (
    <TooltipProvider>
      <div className="gallery">
        <nav aria-label="Primitives">
          {Object.entries(PAGES).map(([key, { title }]) => (
            <a key={key} href={`#${key}`} aria-current={key === name ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <main key={name}>
          <header>
            <h1>{page.title}</h1>
            <Segmented label="Theme" value={theme} options={THEMES} onChange={setTheme} />
          </header>
          <page.Page />
        </main>
      </div>
      <Toaster />
    </TooltipProvider>
  );
}
