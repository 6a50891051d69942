import type { ReactNode } from 'react';
import { AboutSettings } from '#renderer/features/settings/about-settings.tsx';
import { AppearanceSettings } from '#renderer/features/settings/appearance-settings.tsx';
import { ConnectionSettings } from '#renderer/features/settings/connection-settings.tsx';
import { EnrolmentSettings } from '#renderer/features/enrolments/enrolment-settings.tsx';
import { ModelApiSettings } from '#renderer/features/egress/model-api-settings.tsx';
import { ImageSettings } from '#renderer/features/runtimes/image-settings.tsx';
import { MiddlewareSettings } from '#renderer/features/middleware/middleware-settings.tsx';
import { MessageSettings } from '#renderer/features/sessions/message-settings.tsx';
import { NotificationSettings } from '#renderer/features/settings/notification-settings.tsx';
import { useSystemInfo } from '#renderer/store/use-system-info.ts';
import { AllShortcuts } from '#renderer/frame/shortcut-sheet.tsx';
import type { SettingsSection } from '#renderer/navigation/routes.ts';
import { SETTINGS_SECTIONS } from '#renderer/navigation/routes.ts';
import { Link } from '#renderer/navigation/use-route.tsx';
import { reachableScroller } from '#renderer/ui/reachable-scroller.ts';
import { ProjectSettings } from './project-settings.tsx';

const TITLES: Readonly<Record<SettingsSection, string>> = {
  appearance: 'Appearance',
  messages: 'Messages',
  middleware: 'Middleware',
  images: 'Images',
  'model-apis': 'Model APIs',
  connections: 'Connections',
  notifications: 'Notifications',
  shortcuts: 'Shortcuts',
  about: 'About',
};

/** What can be set, one section at a time. */
export function SettingsPage({ section }: { readonly section: SettingsSection }): ReactNode {
  return (
    <div className="grid h-full min-h-0 grid-cols-[180px_minmax(0,1fr)] max-[560px]:grid-cols-[minmax(0,1fr)] max-[560px]:grid-rows-[auto_minmax(0,1fr)] wide:grid-cols-[220px_minmax(0,1fr)]">
      <nav
        aria-label="Settings"
        className="min-h-0 overflow-y-auto border-r border-hair bg-bg-1 px-3 py-6 max-[560px]:border-r-0 max-[560px]:border-b max-[560px]:py-2"
      >
        <p className="mb-2 px-2 text-14 font-strong max-[560px]:mb-1">Settings</p>
        <ul className="flex flex-col gap-0.5 max-[560px]:flex-row max-[560px]:flex-wrap">
          {SETTINGS_SECTIONS.map((one) => (
            <li key={one}>
              <Link
                to={{ page: 'settings', section: one }}
                aria-current={one === section ? 'page' : undefined}
                className="block rounded-2 px-2 py-1 text-13 text-tx-2 hover:bg-bg-2 hover:text-tx-1 aria-[current=page]:bg-bg-2 aria-[current=page]:text-tx-1"
              >
                {TITLES[one]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <section ref={reachableScroller} aria-labelledby="settings-title" className="relative min-h-0 overflow-y-auto">
        <div className="mx-auto max-w-[760px] px-6 py-6 max-[560px]:px-4">
          <h1 id="settings-title" className="mb-5 text-16 font-strong">
            {TITLES[section]}
          </h1>
          <div>
            <Section section={section} />
          </div>
        </div>
      </section>
    </div>
  );
}

function Section({ section }: { readonly section: SettingsSection }): ReactNode {
  const info = useSystemInfo();
  switch (section) {
    case 'appearance':
      return <AppearanceSettings />;
    case 'messages':
      return <ProjectSettings>{(project) => <MessageSettings project={project} />}</ProjectSettings>;
    case 'middleware':
      return <ProjectSettings>{(project) => <MiddlewareSettings project={project} />}</ProjectSettings>;
    case 'images':
      return <ImageSettings />;
    case 'model-apis':
      return <ModelApiSettings />;
    case 'connections':
      return (
        <>
          <ConnectionSettings info={info} />
          <EnrolmentSettings />
        </>
      );
    case 'notifications':
      return <NotificationSettings />;
    case 'shortcuts':
      return <AllShortcuts />;
    case 'about':
      return <AboutSettings info={info} />;
  }
}
