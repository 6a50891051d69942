import type { ReactNode } from 'react';

interface EmptyStateProps {
  readonly title: string;
  /** It is all that there is on the screen: its title is the screen's. */
  readonly isScreen?: boolean;
  readonly children?: ReactNode;
}

/** What stands where there is nothing yet: what would be here, and how it gets here. In the middle of its box. */
export function EmptyState({ title, isScreen = false, children }: EmptyStateProps): ReactNode {
  const Title = isScreen ? 'h1' : 'h2';
  return (
    <div className="flex h-full items-center justify-center px-6 py-8">
      <div className="flex max-w-[56ch] min-w-0 flex-col items-start gap-2">
        <Title className="text-14 font-strong">{title}</Title>
        <div className="flex max-w-full flex-col items-start gap-3 text-13 text-pretty text-tx-2">{children}</div>
      </div>
    </div>
  );
}
