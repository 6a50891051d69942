import { FolderOpen, MessageCircleQuestion, MessagesSquare, Play, RefreshCw, SquareTerminal } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useScreenCommands } from '#renderer/commands/use-commands.tsx';
import { FolderDialog } from '#renderer/features/projects/folder-dialog.tsx';
import { samplePlace } from '#renderer/features/runtimes/sample-place.ts';
import { SamplePlaceChoice } from '#renderer/features/runtimes/sample-place-choice.tsx';
import { useImages, useRuntimes } from '#renderer/features/runtimes/use-images.ts';
import { AdoptPanel } from '#renderer/features/setup/adopt-panel.tsx';
import { CheckList } from '#renderer/features/setup/check-list.tsx';
import { diagnosticsOf } from '#renderer/features/setup/diagnostics.ts';
import { useChecks } from '#renderer/features/setup/use-checks.ts';
import { useRunHere } from '#renderer/features/setup/use-run-here.ts';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { HOME } from '#renderer/navigation/routes.ts';
import { chooseProject } from '#renderer/store/project-scope.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useAttention } from '#renderer/store/use-attention.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { CopyButton } from '#renderer/ui/copy-button.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import type { SystemCheck } from '#shared/system/model.ts';

/** What this machine has, and the three ways to the first agent. */
export function SetupPage(): ReactNode {
  const session = useSession();
  const found = useChecks();
  const { fleet } = useAttention();
  const hasAgents = useWindowState(({ crew }) => Object.keys(crew.agents).length > 0);
  const sample = useCommand();
  const runHere = useRunHere();
  const [isChoosing, setChoosing] = useState(false);
  const [wantsContainers, setWantsContainers] = useState(false);
  const place = samplePlace(useRuntimes().answer, useImages().answer);
  const isContained = wantsContainers && place?.canContain === true;
  const isLoggedIn = found.checks?.some(
    ({ group, state, loginState }) => group === 'agents' && state === 'ok' && loginState === 'in',
  );

  const startSample = (): void =>
    sample.run(async () => {
      const up = await session.client.teams.sample({ asksOperator: true, ...(isContained ? { runtime: 'docker' } : {}) });
      chooseProject(up.project.id);
      const [first] = up.agents;
      // Its terminal and what it says to the others, side by side.
      if (first) goTo({ page: 'agent', id: first.id, tab: 'messages' });
    });
  useScreenCommands('Set up', [
    { id: 'setup.sample', title: 'Start the sample crew', keys: 's', run: startSample },
    { id: 'setup.check', title: 'Check this machine again', keys: 'r', run: found.checkAgain },
  ]);

  const diagnostics = diagnosticsOf({
    version: __QUARTERDECK_VERSION__,
    userAgent: navigator.userAgent,
    checks: found.checks ?? [],
    agents: fleet.byStatus,
    at: found.checkedAt ?? 0,
  });

  return (
    <div className="relative grid h-full min-h-0 grid-cols-[minmax(0,1fr)_300px] wide:grid-cols-[minmax(0,1fr)_356px] max-[860px]:block max-[860px]:overflow-y-auto">
      <section aria-labelledby="setup-title" className="relative min-h-0 overflow-y-auto max-[860px]:overflow-visible">
        <div className="mx-auto max-w-[960px] px-6 py-8 max-[560px]:px-4 max-[560px]:py-5">
          <h1 id="setup-title" className="text-20 font-strong">
            Set up this machine
          </h1>
          <p className="mt-1 text-13 text-pretty text-tx-2">
            Found through your login shell’s PATH; every CLI was asked about its login. {leadOf(found.checks)}
          </p>
          {found.problem === undefined ? null : <Notice title="This machine could not be looked at." detail={found.problem} />}
          {runHere.problem === undefined ? null : <Notice title="The command was not run." detail={runHere.problem} />}
          <CheckList checks={found.checks} onRun={runHere.run} />
          <div className="mt-3 flex flex-wrap items-center gap-1 text-12 text-tx-3">
            <span className="mr-auto">
              {found.checkedAt === undefined ? (
                'Looking'
              ) : (
                <>
                  Checked <RelativeTime at={found.checkedAt} />, and again every few seconds.
                </>
              )}
            </span>
            <Button
              look="quiet"
              size="small"
              disabled={found.isChecking}
              icon={<RefreshCw aria-hidden className="size-3" />}
              onClick={found.checkAgain}
            >
              Check again
            </Button>
            <CopyButton text={diagnostics} label="Copy diagnostics" size="small" look="quiet" />
          </div>
        </div>
      </section>
      <aside
        aria-label="Start"
        className="min-h-0 overflow-y-auto border-l border-hair bg-bg-1 px-6 py-8 max-[560px]:px-4 max-[860px]:overflow-visible max-[860px]:border-t max-[860px]:border-l-0"
      >
        <Door title="Try it without keys">
          <p className="text-12 text-pretty text-tx-2">
            Three sample agents survey a sample folder and write a report. No account, no network, about a minute.
          </p>
          <ul className="flex flex-col gap-1.5 text-12 text-tx-2">
            <Seen icon={SquareTerminal} text="A terminal you can take over" />
            <Seen icon={MessagesSquare} text="What they say to one another" />
            <Seen icon={MessageCircleQuestion} text="A question for you to answer" />
          </ul>
          {place === undefined ? null : (
            <SamplePlaceChoice place={place} isContained={isContained} onChange={setWantsContainers} />
          )}
          <Button
            className="self-start"
            size="large"
            look={isLoggedIn === true && hasAgents ? 'outline' : 'ink'}
            icon={<Play aria-hidden className="size-3.5" />}
            disabled={sample.isRunning}
            onClick={startSample}
          >
            {sample.isRunning ? 'Starting the sample crew' : 'Start the sample crew'}
          </Button>
          {sample.problem === undefined ? null : <Notice title="The sample crew was not started." detail={sample.problem} />}
        </Door>
        <Door title="Open a folder">
          <p className="text-12 text-pretty text-tx-2">
            A git repository, or any folder: it offers <code className="font-code whitespace-nowrap">git init</code>.
          </p>
          <Button className="self-start" icon={<FolderOpen aria-hidden className="size-3.5" />} onClick={() => setChoosing(true)}>
            Choose folder <KeyHint>ctrl+o</KeyHint>
          </Button>
        </Door>
        <Door title="Adopt what is running">
          <AdoptPanel onAdopted={(id) => goTo({ page: 'agent', id, tab: 'overview' })} />
        </Door>
      </aside>
      <FolderDialog
        isOpen={isChoosing}
        onClose={() => setChoosing(false)}
        onOpened={(project) => {
          chooseProject(project.id);
          goTo(hasAgents ? HOME : { page: 'new-agent' });
        }}
      />
    </div>
  );
}

/** How the machine stands, in a sentence. */
function leadOf(checks: readonly SystemCheck[] | undefined): string {
  if (checks === undefined) return '';
  const needs = checks.filter(({ state }) => state === 'needs' || state === 'failed').length;
  if (needs === 0) return 'Nothing here needs you.';
  return needs === 1 ? 'One thing needs you, the rest can wait.' : `${needs} things need you, the rest can wait.`;
}

function Door({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <section className="flex flex-col gap-3 border-b border-hair py-6 first:pt-0 last:border-b-0">
      <h2 className="text-14 font-strong">{title}</h2>
      {children}
    </section>
  );
}

function Seen({ icon: Icon, text }: { readonly icon: LucideIcon; readonly text: string }): ReactNode {
  return (
    <li className="flex items-center gap-2.5">
      <Icon aria-hidden className="size-3.5 flex-none text-tx-3" />
      {text}
    </li>
  );
}
