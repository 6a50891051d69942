import type { ReactNode } from 'react';

interface BadgeProps {
  readonly icon?: ReactNode;
  /** Says it in full. */
  readonly title?: string;
  /** 20 pixels in rows and cards, 28 in bars. */
  readonly size?: 'small' | 'normal';
  readonly children: ReactNode;
}

/** A fact in a small frame, with an optional icon. */
export function Badge({ icon, title, size = 'normal', children }: BadgeProps): ReactNode {
  const box = size === 'small' ? 'h-5 gap-1 rounded-1 px-1.5' : 'h-7 gap-1.5 rounded-2 px-2';
  return (
    <span
      title={title}
      className={`inline-flex max-w-full min-w-0 items-center border border-hair text-12 whitespace-nowrap text-tx-2 ${box}`}
    >
      {icon}
      <span className="truncate">{children}</span>
    </span>
  );
}

interface CountBadgeProps {
  readonly count: number;
  /** What is counted, for screen readers: "2 questions". */
  readonly label: string;
  /** needs: that many answers of the operator are waited for. */
  readonly tone?: 'quiet' | 'needs';
}

/** A number at an icon or a name; nothing at nought. */
export function CountBadge({ count, label, tone = 'quiet' }: CountBadgeProps): ReactNode {
  if (count <= 0) return null;
  const look = tone === 'needs' ? 'bg-needs-fill text-on-needs' : 'bg-bg-2 text-tx-2';
  return (
    <span
      className={`relative inline-flex h-[15px] min-w-[15px] flex-none items-center justify-center rounded-full px-1 text-10 font-strong tabular-nums ${look}`}
    >
      <span aria-hidden>{count > 99 ? '99+' : count}</span>
      <span className="sr-only">{label}</span>
    </span>
  );
}
