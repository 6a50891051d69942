import type { ReactNode } from 'react';
import { ALL_SHORTCUTS } from '#renderer/commands/all-shortcuts.ts';
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
      <PresentShortcuts />
    </Dialog>
  );
}

function PresentShortcuts(): ReactNode {
  const groups = useCommandScopes().map(({ title, commands }) => ({
    title,
    shortcuts: commands.flatMap(({ title: what, keys }) => (keys === undefined ? [] : [{ title: what, keys }])),
  }));
  return <ShortcutGroups groups={groups.filter(({ shortcuts }) => shortcuts.length > 0)} heading="h3" />;
}

/** Every shortcut of the window, as a part of a page. */
export function AllShortcuts(): ReactNode {
  return <ShortcutGroups groups={ALL_SHORTCUTS} heading="h2" />;
}

interface ShortcutGroupsProps {
  readonly groups: typeof ALL_SHORTCUTS;
  readonly heading: 'h2' | 'h3';
}

function ShortcutGroups({ groups, heading: Heading }: ShortcutGroupsProps): ReactNode {
  return (
    <div className="gap-8 min-[640px]:columns-2">
      {groups.map(({ title, shortcuts }) => (
        <section key={title} data-shortcuts={title} className="mb-4 break-inside-avoid">
          <Heading className="mb-1 text-12 text-tx-3">{title}</Heading>
          <dl>
            {shortcuts.map(({ title: what, keys }) => (
              <div key={keys} className="flex h-7 items-center gap-3 border-b border-hair text-13">
                <dt className="min-w-0 truncate" title={what}>
                  {what}
                </dt>
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
