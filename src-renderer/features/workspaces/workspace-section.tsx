import { FolderGit2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useAsked } from '#renderer/store/use-asked.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { CopyButton } from '#renderer/ui/copy-button.tsx';
import { Fact, Facts, PanelSection } from '#renderer/ui/panel.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import type { Agent } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';

/** What an agent that works changes is in no event: it is looked at so often while one looks, in milliseconds. */
const LOOK_EVERY_MS = 10_000;

/** Which folder and branch an agent works on, and what is new there. */
export function WorkspaceSection({ agent }: { readonly agent: Agent }): ReactNode {
  const session = useSession();
  const command = useCommand();
  const { id } = agent;
  const isRunning = isAlive(agent.state.status);
  const { answer, ask } = useAsked(`workspace ${id}`, (client) => client.workspaces.get({ id }), {
    isChangedBy: ({ kind, subject }) =>
      subject === id && (kind.startsWith('workspace.') || kind === 'agent.run-started' || kind === 'agent.state-changed'),
    everyMs: () => (isRunning ? LOOK_EVERY_MS : undefined),
  });
  if (answer === undefined || answer.workspace === null) return null;
  const { workspace, state } = answer;
  const fetch = (): void =>
    command.run(async () => {
      const { branch, commits } = await session.client.workspaces.fetch({ id });
      ask();
      showToast({
        title: commits === 0 ? 'There was nothing new.' : `${counted(commits, 'commit')} came in.`,
        detail: `They are on the branch ${branch} of the project.`,
      });
    });
  return (
    <PanelSection
      title="Works on"
      aside={
        workspace.kind === 'shared'
          ? 'the project folder itself'
          : workspace.kind === 'clone'
            ? 'a copy of its own'
            : 'a worktree'
      }
    >
      <Facts>
        <Fact name="Folder">
          <span className="flex min-w-0 items-center gap-1">
            <code className="font-code min-w-0 truncate" title={workspace.folder}>
              {workspace.folder}
            </code>
            <CopyButton text={workspace.folder} size="small" />
          </span>
        </Fact>
        {workspace.branch === null ? null : (
          <Fact name="Branch">
            <code className="font-code [overflow-wrap:anywhere]">{workspace.branch}</code>
          </Fact>
        )}
        {state === null ? null : (
          <Fact name="New there">
            {workspace.branch === null ? '' : `${counted(state.ahead, 'commit')} ahead, `}
            {counted(state.changedFiles, 'changed file')}
          </Fact>
        )}
      </Facts>
      {workspace.kind === 'clone' ? (
        <div className="mt-2 flex items-center gap-3">
          <p className="min-w-0 flex-1 text-12 text-pretty text-tx-3">
            Its commits are in the project once you bring them in. Nothing of its repository is run.
          </p>
          <Button
            icon={<FolderGit2 aria-hidden className="size-3.5" />}
            disabled={command.isRunning || state === null || state.ahead === 0}
            onClick={fetch}
          >
            Bring commits in
          </Button>
        </div>
      ) : null}
      {command.problem === undefined ? null : (
        <p role="alert" className="mt-2 text-12 text-pretty text-st-failed">
          {command.problem}
        </p>
      )}
    </PanelSection>
  );
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
