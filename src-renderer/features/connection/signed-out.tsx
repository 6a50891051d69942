import type { ReactNode } from 'react';
import type { LoginOutcome } from '#renderer/connection/login.ts';
import { Button } from '#renderer/ui/button.tsx';

/** What is said about a login link that did not work. */
const LINK_PROBLEMS: Readonly<Record<LoginOutcome, string | undefined>> = {
  none: undefined,
  accepted: undefined,
  refused: 'That login link is used up or too old: each works once, within ten minutes.',
  unreachable: 'The core did not answer, so the login link could not be used.',
};

interface SignedOutProps {
  readonly outcome: LoginOutcome;
  readonly onRetry: () => void;
}

/** The core does not know this browser: how to get in. */
export function SignedOut({ outcome, onRetry }: SignedOutProps): ReactNode {
  const problem = LINK_PROBLEMS[outcome];
  return (
    <main className="grid h-full place-items-center px-6">
      <div className="flex max-w-[60ch] flex-col items-start gap-4">
        <h1 className="text-20 font-strong">This browser is not logged in</h1>
        {problem === undefined ? null : (
          <p role="alert" className="text-st-failed">
            {problem}
          </p>
        )}
        <p className="text-pretty text-tx-2">
          Quarterdeck can start programs on this computer, so a browser needs a login link once. Get a new one in a terminal on
          the same computer:
        </p>
        <pre className="font-code w-full rounded-2 border border-hair bg-well px-3.5 py-2.5 text-13 text-t-fg">
          quarterdeck open
        </pre>
        <p className="text-pretty text-tx-2">
          In a checkout that is <code className="font-code text-12 text-tx-1">node bin/quarterdeck.mjs open</code>. The core also
          prints a link when it starts.
        </p>
        <Button onClick={onRetry}>Try again</Button>
      </div>
    </main>
  );
}
