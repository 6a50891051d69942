/** What stands around every screen: rail, top bar, palette, shortcuts, what failed. Composes; the screens are pages. */
import { useCallback, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useScreenCommands, useShortcuts } from '#renderer/commands/use-commands.tsx';
import { OfflineBanner } from '#renderer/features/connection/offline-banner.tsx';
import { FolderDialog } from '#renderer/features/projects/folder-dialog.tsx';
import { goTo, useRoute } from '#renderer/navigation/use-route.tsx';
import { routeTitle } from '#renderer/navigation/route-title.ts';
import { HOME } from '#renderer/navigation/routes.ts';
import { chooseProject } from '#renderer/store/project-scope.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useAttention } from '#renderer/store/use-attention.ts';
import { useSettings } from '#renderer/store/use-settings.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { AttentionToasts } from './attention-toasts.tsx';
import { goToItem } from './go-to-item.ts';
import { TopBar } from './top-bar.tsx';
import { Palette } from './palette.tsx';
import { Rail } from './rail.tsx';
import { ShortcutSheet } from './shortcut-sheet.tsx';
import { useStopAll } from './use-stop-all.ts';

/** The frame, with a screen in it. */
export function Frame({ children }: { readonly children: ReactNode }): ReactNode {
  const session = useSession();
  const status = useWindowState((state) => state.status);
  const route = useRoute();
  const [{ isRailExpanded }, changeSettings] = useSettings();
  const { items } = useAttention();
  const stopAll = useStopAll();
  const [open, setOpen] = useState<'palette' | 'shortcuts' | 'folder'>();
  const close = useCallback(() => setOpen(undefined), []);
  const waiting = items.filter(({ needsOperator }) => needsOperator);
  const toggleRail = (): void => changeSettings({ isRailExpanded: !isRailExpanded });
  const title = routeTitle(route, waiting.length);
  useEffect(() => {
    document.title = title;
  }, [title]);

  useShortcuts();
  useScreenCommands('Everywhere', [
    {
      id: 'palette',
      title: 'Search or run a command',
      keys: 'ctrl+k',
      isGlobal: true,
      isHidden: true,
      run: () => setOpen('palette'),
    },
    { id: 'shortcuts', title: 'Show the shortcuts', keys: '?', run: () => setOpen('shortcuts') },
    { id: 'go-agents', title: 'Go to the agents', keys: 'g a', run: () => goTo(HOME) },
    { id: 'go-messages', title: 'Go to the messages', keys: 'g m', run: () => goTo({ page: 'messages' }) },
    { id: 'go-setup', title: 'Go to the set-up of this machine', keys: 'g u', run: () => goTo({ page: 'setup' }) },
    { id: 'go-settings', title: 'Go to the settings', keys: 'g s', run: () => goTo({ page: 'settings', section: 'appearance' }) },
    { id: 'go-images', title: 'Go to the images', run: () => goTo({ page: 'settings', section: 'images' }) },
    {
      id: 'go-model-apis',
      title: 'Go to the model APIs and their keys',
      run: () => goTo({ page: 'settings', section: 'model-apis' }),
    },
    {
      id: 'go-needs',
      title: 'Go to what needs you',
      keys: 'g n',
      run: () => {
        const first = waiting.findLast(({ kind }) => kind === 'question') ?? waiting[0];
        if (first) goToItem(first);
      },
    },
    { id: 'new-agent', title: 'New agent', keys: 'n', run: () => goTo({ page: 'new-agent' }) },
    { id: 'open-folder', title: 'Open a folder as a project', keys: 'ctrl+o', isGlobal: true, run: () => setOpen('folder') },
    {
      id: 'toggle-rail',
      title: isRailExpanded ? 'Hide the labels of the rail' : 'Show the labels of the rail',
      keys: 'ctrl+b',
      isGlobal: true,
      run: toggleRail,
    },
    { id: 'stop-all', title: 'Stop all agents', run: stopAll.run },
  ]);

  return (
    <div className="grid h-full grid-cols-[auto_minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <a
        href="#screen"
        className="sr-only focus:not-sr-only focus:absolute focus:top-1 focus:left-1 focus:z-10 focus:rounded-2 focus:bg-bg-1 focus:px-3 focus:py-1.5"
      >
        Skip to the screen
      </a>
      <Rail
        isExpanded={isRailExpanded}
        onToggle={toggleRail}
        questions={waiting.filter(({ kind }) => kind === 'question').length}
      />
      <TopBar
        onSearch={() => setOpen('palette')}
        onOpenFolder={() => setOpen('folder')}
        onStopAll={stopAll.run}
        isStopping={stopAll.isRunning}
      />
      <div className="flex min-h-0 min-w-0 flex-col">
        {status.kind === 'offline' ? <OfflineBanner since={status.since} onRetry={() => session.retry()} /> : null}
        {stopAll.problem === undefined ? null : (
          <Notice title="Not all agents were stopped." detail={stopAll.problem}>
            <Button size="small" onClick={stopAll.dismiss}>
              Dismiss
            </Button>
          </Notice>
        )}
        <main id="screen" tabIndex={-1} className="min-h-0 flex-1 outline-none">
          {children}
        </main>
      </div>
      {window.quarterdeck === undefined ? <AttentionToasts items={items} /> : null}
      <Palette isOpen={open === 'palette'} onClose={close} />
      <ShortcutSheet isOpen={open === 'shortcuts'} onClose={close} />
      <FolderDialog
        isOpen={open === 'folder'}
        onClose={close}
        onOpened={(project) => {
          chooseProject(project.id);
          goTo(HOME);
        }}
      />
    </div>
  );
}
