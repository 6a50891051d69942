import type { ReactNode } from 'react';
import { ShortcutList } from '#renderer/frame/shortcut-sheet.tsx';
import type { SettingsSection } from '#renderer/navigation/routes.ts';

/** What can be set. */
export function SettingsPage(_props: { readonly section: SettingsSection }): ReactNode {
  return <ShortcutList />;
}
