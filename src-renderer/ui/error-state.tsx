import { CircleX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';

interface ErrorStateProps {
  /** What failed, in a few words. */
  readonly title: string;
  /** Why, and what to do. */
  readonly detail: string;
  /** Does it again. */
  readonly onRetry?: (() => void) | undefined;
  /** What somebody who helps wants to see; copied by a button. */
  readonly diagnostics?: string | undefined;
  /** Further buttons. */
  readonly children?: ReactNode;
}

/** What stands where something could not be shown. For what failed beside things that are shown, see Notice. */
export function ErrorState({ title, detail, onRetry, diagnostics, children }: ErrorStateProps): ReactNode {
  return (
    <div role="alert" className="flex h-full items-center justify-center px-6 py-8">
      <div className="flex max-w-[64ch] min-w-0 flex-col items-start gap-2">
        <h2 className="flex items-start gap-2 text-14 font-strong">
          <CircleX aria-hidden className="mt-[3px] size-3.5 flex-none text-st-failed" />
          {title}
        </h2>
        <p className="max-w-full text-13 text-pretty break-words text-tx-2">{detail}</p>
        <div className="mt-1 flex flex-wrap gap-1.5">
          {onRetry === undefined ? null : <Button onClick={onRetry}>Try again</Button>}
          {children}
          {diagnostics === undefined ? null : <CopyButton text={diagnostics} label="Copy diagnostics" />}
        </div>
      </div>
    </div>
  );
}
