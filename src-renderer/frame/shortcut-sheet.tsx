import type { ReactNode } from 'react';
import { useCommandScopes } from '#renderer/commands/use-commands.tsx';
import { Dialog } from '#renderer/ui/dialog.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';

interface ShortcutSheetProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** The shortcuts of the present screen, and those that work everywhere. */
export function ShortcutSheet({ isOpen, onClose }: ShortcutSheetProps): ReactNode {
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title="Shortcuts" size="wide">
      <ShortcutList />
    </Dialog>
  );
}

/** The same as a part of a page. */
export function ShortcutList({ heading: Heading = 'h3' }: { readonly heading?: 'h2' | 'h3' }): ReactNode {
  const scopes = useCommandScopes();
  return (
    <div className="columns-2 gap-8">
      {scopes
        .map(({ title, commands }) => ({ title, commands: commands.filter(({ keys }) => keys !== undefined) }))
        .filter(({ commands }) => commands.length > 0)
        .map(({ title, commands }) => (
          <section key={title} className="mb-4 break-inside-avoid">
            <Heading className="mb-1 text-12 text-tx-3">{title}</Heading>
            <dl>
              {commands.map(({ id, title: what, keys }) => (
                <div key={id} className="flex h-7 items-center gap-3 border-b border-hair text-13">
                  <dt className="min-w-0 truncate">{what}</dt>
                  <dd className="ml-auto flex-none text-tx-2">
                    <KeyHint>{keys}</KeyHint>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
    </div>
  );
}
