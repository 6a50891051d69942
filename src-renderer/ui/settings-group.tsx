import type { ReactNode } from 'react';

/** One group of settings. */
export function SettingsGroup({
  title,
  note,
  children,
}: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <section className="border-b border-hair py-6 first:pt-0 last:border-b-0">
      <h2 className="text-14 font-strong">{title}</h2>
      {note === undefined ? null : <p className="mt-0.5 max-w-[72ch] text-12 text-pretty text-tx-2">{note}</p>}
      <div className="mt-3 flex flex-col gap-3">{children}</div>
    </section>
  );
}

/** One setting: its name at the left, its control at the right. */
export function SettingsRow({
  name,
  hint,
  children,
}: {
  readonly name: string;
  readonly hint?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-6 gap-y-1 max-[560px]:grid-cols-[minmax(0,1fr)] max-[560px]:gap-y-2">
      <div className="min-w-0">
        <p className="text-13 font-medium">{name}</p>
        {hint === undefined ? null : <p className="text-12 text-pretty text-tx-3">{hint}</p>}
      </div>
      <div className="flex min-w-0 items-center gap-2">{children}</div>
    </div>
  );
}
