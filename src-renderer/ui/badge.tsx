import type { ReactNode } from 'react';

/** A fact in a small frame, with an optional icon. `title` says it in full. */
export function Badge({
  icon,
  title,
  children,
}: {
  readonly icon?: ReactNode;
  readonly title?: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <span
      title={title}
      className="inline-flex h-7 min-w-0 items-center gap-1.5 rounded-2 border border-hair px-2 text-12 whitespace-nowrap text-tx-2"
    >
      {icon}
      <span className="truncate">{children}</span>
    </span>
  );
}
