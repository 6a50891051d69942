import { useState } from 'react';
import type { ReactNode } from 'react';
import type { CoreClient } from '#renderer/connection/line.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { CopyLine } from '#renderer/ui/copy-button.tsx';
import { Dialog } from '#renderer/ui/dialog.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { MiddlewareModule } from '#shared/middleware/model.ts';

type Modules = Awaited<ReturnType<CoreClient['middleware']['modules']>>;
type ModuleText = Awaited<ReturnType<CoreClient['middleware']['module']>>;

const STATE_WORDS: Readonly<Record<MiddlewareModule['state'], string>> = {
  new: 'new: it runs when you have read and accepted it',
  accepted: 'accepted',
  changed: 'the file is another one now; the copy you accepted runs on',
  missing: 'the file is gone; the copy you accepted runs on',
};

interface ModuleListProps {
  /** undefined: not known yet. */
  readonly modules: Modules | undefined;
  readonly problem: string | undefined;
  readonly onChanged: () => void;
}

/** The operator's own modules: read, and accepted as they were read. */
export function ModuleList({ modules, problem, onChanged }: ModuleListProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [read, setRead] = useState<ModuleText>();
  const accept = ({ name }: MiddlewareModule, sha256: string): void =>
    command.run(
      () => session.client.middleware.accept({ name, sha256 }),
      () => {
        setRead(undefined);
        onChanged();
        showToast({ title: `${name} is accepted.`, detail: 'This copy runs, whatever becomes of the file.' });
      },
    );
  const { module, text } = read ?? {};
  return (
    <SettingsGroup
      title="Modules"
      note="A step of kind Module runs one of these for each message, in a thread that is ended at its deadline. That is no boundary: a module is your own code, so accept what you would run as a script."
    >
      {problem === undefined ? null : <Notice title="The modules are not known." detail={problem} />}
      {command.problem === undefined || read !== undefined ? null : <Notice title="It was not read." detail={command.problem} />}
      {modules === undefined ? (
        <SkeletonText lines={2} />
      ) : (
        <>
          {modules.modules.length === 0 ? (
            <p className="text-12 text-tx-3">There are none. A file of this folder that ends in .mjs is one:</p>
          ) : (
            <ul aria-label="Modules" className="rounded-2 border border-hair">
              {modules.modules.map((one) => (
                <li
                  key={one.name}
                  className="flex min-h-9 items-center gap-3 border-b border-hair px-3 py-1 text-12 last:border-b-0"
                >
                  <strong className="min-w-0 truncate font-medium">{one.name}</strong>
                  <span className="min-w-0 flex-1 text-tx-2">{STATE_WORDS[one.state]}</span>
                  <Button
                    size="small"
                    disabled={command.isRunning}
                    aria-label={`Read ${one.name}`}
                    onClick={() => command.run(async () => setRead(await session.client.middleware.module({ name: one.name })))}
                  >
                    Read
                  </Button>
                </li>
              ))}
            </ul>
          )}
          <CopyLine text={modules.folder} />
        </>
      )}
      <Dialog
        isOpen={read !== undefined}
        onClose={() => setRead(undefined)}
        size="wide"
        title={module?.name ?? ''}
        description={module === undefined ? undefined : STATE_WORDS[module.state]}
        footer={
          module === undefined || module.sha256 === null || module.state === 'accepted' ? null : (
            <>
              <span className="mr-auto text-12 text-tx-3">It runs in the core, as your own code.</span>
              <Button onClick={() => setRead(undefined)}>Cancel</Button>
              <Button look="ink" disabled={command.isRunning} onClick={() => accept(module, module.sha256 ?? '')}>
                Accept this text
              </Button>
            </>
          )
        }
      >
        {command.problem === undefined ? null : <Notice title="It was not accepted." detail={command.problem} />}
        <pre tabIndex={0} aria-label="Text of the module" className="overflow-x-auto font-code text-12 whitespace-pre text-tx-1">
          {visibleText(text ?? read?.acceptedText ?? '')}
        </pre>
      </Dialog>
    </SettingsGroup>
  );
}
