import type { ReactNode } from 'react';
import { CopyLine } from '#renderer/ui/copy-button.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { SettingsGroup, SettingsRow } from '#renderer/ui/settings-group.tsx';
import type { SystemInfo } from '#renderer/store/use-system-info.ts';

/** What runs here. */
export function AboutSettings({ info }: { readonly info: SystemInfo | undefined }): ReactNode {
  if (info === undefined) return <SkeletonText lines={6} />;
  return (
    <>
      <SettingsGroup title={`Quarterdeck ${info.version}`}>
        <SettingsRow name="The core">
          <span className="text-12 text-tx-2">
            process <span className="figures">{info.pid}</span>, started <RelativeTime at={info.startedAt} />
          </span>
        </SettingsRow>
        {info.runtimes.map(({ kind, isAvailable, version, problem }) => (
          <SettingsRow
            key={kind}
            name={kind === 'tmux' ? 'tmux' : 'Plain terminals'}
            {...(problem === undefined ? {} : { hint: problem })}
          >
            <span className="text-12 text-tx-2">{isAvailable ? (version ?? 'available') : 'not available'}</span>
          </SettingsRow>
        ))}
      </SettingsGroup>
      <SettingsGroup
        title="Data folder"
        note="Everything that is remembered: the database, agents’ files, keys. It is readable by you only."
      >
        <CopyLine text={info.dataDir} />
      </SettingsGroup>
      <SettingsGroup
        title="Licence"
        note="Quarterdeck is free software under the MIT licence. The typefaces are Inter, JetBrains Mono and symbols of Noto Sans Symbols 2, under the SIL Open Font License, and symbols of DejaVu Sans Mono, under its own licence."
      >
        {null}
      </SettingsGroup>
    </>
  );
}
