import { Play } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useScreenCommands } from '#renderer/commands/use-commands.tsx';
import { AgentForm } from '#renderer/features/agents/agent-form.tsx';
import type { AgentFormDraft } from '#renderer/features/agents/agent-form-draft.ts';
import { EMPTY_DRAFT, isTyped, keepAgentDraft, keptAgentDraft, onTemplate } from '#renderer/features/agents/agent-form-draft.ts';
import type { AgentFields } from '#renderer/features/agents/agent-form-state.ts';
import { fieldsOf } from '#renderer/features/agents/agent-form-state.ts';
import { useAgentForm } from '#renderer/features/agents/use-agent-form.ts';
import { FolderDialog } from '#renderer/features/projects/folder-dialog.tsx';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { HOME } from '#renderer/navigation/routes.ts';
import { pageStorage } from '#renderer/store/page-storage.ts';
import { chooseProject, useProject, useProjects } from '#renderer/store/project-scope.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { problemOf, useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import type { AgentDraft, AgentTemplate } from '#shared/agents/model.ts';
import { AGENT_FORM_PARTS } from './agent-form-parts.tsx';

/** What the core offers to make agents from. */
interface Offer {
  readonly templates: readonly AgentTemplate[];
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

/** One more agent: from a template at once, or with every field in one's own hand. */
export function NewAgentPage({ template }: { readonly template?: string }): ReactNode {
  const session = useSession();
  const isOnline = useWindowState(({ status }) => status.kind === 'online');
  const projects = useProjects();
  const shown = useProject();
  const [offer, setOffer] = useState<Offer>();
  const [problem, setProblem] = useState<string>();
  const [start] = useState(() => keptAgentDraft(pageStorage) ?? EMPTY_DRAFT);
  const [{ template: from, base }, setOrigin] = useState<Pick<AgentFormDraft, 'template' | 'base'>>(start);
  const [projectId, setProjectId] = useState<string>();
  const [starts, setStarts] = useState(true);
  const [isChoosingFolder, setChoosingFolder] = useState(false);
  const form = useAgentForm(start.fields);
  const quick = useCommand();
  const project = projects.find(({ id }) => id === projectId) ?? shown ?? projects[0];

  useEffect(() => {
    if (!isOnline) return;
    Promise.resolve()
      .then(() => session.client.agents.templates({}))
      .then(({ templates, problems }) => {
        setOffer({ templates, problems });
        setProblem(undefined);
      })
      .catch((error: unknown) => setProblem(problemOf(error)));
  }, [session, isOnline]);

  const draft: AgentFormDraft = { template: from, base, fields: form.fields };
  useEffect(() => keepAgentDraft(pageStorage, { template: from, base, fields: form.fields }), [from, base, form.fields]);
  const begin = (next: AgentFormDraft): void => {
    setOrigin(next);
    form.reset(next.fields);
  };
  const fill = (one: AgentTemplate): void => begin(onTemplate(draft, one.name, fieldsOf(one.agent)));

  // A link to a template fills the form in once the templates are there.
  const linked = offer?.templates.find(({ name }) => name === template);
  useEffect(() => {
    if (linked !== undefined && linked.name !== from) fill(linked);
    // oxlint-disable-next-line react/exhaustive-deps -- once per template, not whenever the form changes
  }, [linked]);

  const spawn = async (wanted: AgentDraft, name: string | undefined, isStarted: boolean): Promise<void> => {
    if (project === undefined) throw new Error('Open a folder first');
    const agent = await session.client.agents.spawn({
      ...wanted,
      projectId: project.id,
      start: isStarted,
      ...(name === undefined ? {} : { template: name }),
    });
    goTo({ page: 'agent', id: agent.id, tab: 'overview' });
  };
  const submit = (): void =>
    form.submit(async (wanted) => {
      await spawn(wanted, undefined, starts);
      keepAgentDraft(pageStorage, EMPTY_DRAFT);
    });
  const discard = (): void => begin(EMPTY_DRAFT);
  useScreenCommands('New agent', [
    { id: 'new.create', title: 'Create the agent', keys: 'ctrl+enter', isGlobal: true, run: submit },
    { id: 'new.cancel', title: 'Leave; what is typed stays', keys: 'escape', isHidden: true, run: () => goTo(HOME) },
  ]);

  const chosen = from ?? (offer === undefined ? template : undefined);
  const title = chosen === undefined ? 'New agent' : `New agent, from ${titleOf(offer, chosen)}`;

  return (
    <div className="grid h-full min-h-0 grid-cols-[300px_minmax(0,1fr)] max-[640px]:block max-[640px]:overflow-y-auto wide:grid-cols-[380px_minmax(0,1fr)]">
      <aside
        aria-labelledby="templates-title"
        className="relative min-h-0 overflow-y-auto border-r border-hair bg-bg-1 px-5 py-6 max-[640px]:overflow-visible max-[640px]:border-r-0 max-[640px]:border-b max-[640px]:px-4"
      >
        <h2 id="templates-title" className="text-14 font-strong">
          From a template
        </h2>
        <p className="mt-0.5 mb-3 text-12 text-tx-2">Start one as it is, or change it first.</p>
        {problem === undefined ? null : <Notice title="The templates could not be read." detail={problem} />}
        {quick.problem === undefined ? null : <Notice title="The agent was not made." detail={quick.problem} />}
        {offer === undefined ? (
          problem === undefined ? (
            <SkeletonText lines={6} />
          ) : null
        ) : (
          <ul className="overflow-hidden rounded-3 border border-hair">
            {offer.templates.map((one) => (
              <TemplateRow
                key={one.name}
                template={one}
                isChosen={one.name === from}
                isBusy={quick.isRunning || project === undefined}
                onChange={() => fill(one)}
                onStart={() => quick.run(() => spawn({}, one.name, true))}
              />
            ))}
          </ul>
        )}
        {offer?.problems.map(({ file, problem: why }) => (
          <p key={file} className="mt-2 text-12 break-words text-st-failed">
            <code className="font-code">{file}</code>: {why}
          </p>
        ))}
        <p className="mt-3 text-12 text-pretty text-tx-3">
          Templates of your own are YAML files in the folder <code className="font-code">templates</code> of the data folder.
        </p>
      </aside>
      <section aria-labelledby="new-title" className="flex min-h-0 flex-col">
        <form
          id="agent-form"
          className="relative min-h-0 flex-1 overflow-y-auto px-6 py-6 max-[640px]:overflow-visible max-[640px]:px-4"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <div className="mx-auto flex max-w-[640px] flex-col gap-5">
            <div>
              <h1 id="new-title" className="text-16 font-strong">
                {title}
              </h1>
              <p className="mt-0.5 text-12 text-tx-2">What is left empty takes its default.</p>
            </div>
            <ProjectChoice
              projects={projects}
              chosenId={project?.id}
              onChoose={setProjectId}
              onOpenFolder={() => setChoosingFolder(true)}
            />
            <AgentForm
              fields={form.fields}
              errors={form.errors}
              onChange={(changes: Partial<AgentFields>) => form.change(changes)}
              parts={AGENT_FORM_PARTS}
            />
          </div>
        </form>
        {form.command.problem === undefined ? null : <Notice title="The agent was not made." detail={form.command.problem} />}
        <footer className="flex min-h-13 flex-none flex-wrap items-center gap-x-3 gap-y-2 border-t border-hair bg-bg-1 px-6 py-2 max-[640px]:px-4">
          <Checkbox label="Start it at once" checked={starts} onChange={setStarts} />
          <span className="ml-auto flex gap-2">
            {isTyped(draft) || from !== null ? (
              <Button look="quiet" title="Empties the form" onClick={discard}>
                Discard
              </Button>
            ) : null}
            <Button look="quiet" title="What is typed stays until you come back" onClick={() => goTo(HOME)}>
              Leave
            </Button>
            <Button
              look="ink"
              type="submit"
              form="agent-form"
              disabled={form.command.isRunning || project === undefined}
              icon={<Play aria-hidden className="size-3.5" />}
            >
              {starts ? 'Create and start' : 'Create'}
            </Button>
          </span>
        </footer>
      </section>
      <FolderDialog
        isOpen={isChoosingFolder}
        onClose={() => setChoosingFolder(false)}
        onOpened={({ id }) => {
          setProjectId(id);
          chooseProject(id);
        }}
      />
    </div>
  );
}

function titleOf(offer: Offer | undefined, name: string): string {
  return offer?.templates.find((one) => one.name === name)?.title ?? name;
}

interface ProjectChoiceProps {
  readonly projects: readonly { readonly id: string; readonly name: string; readonly folder: string }[];
  readonly chosenId: string | undefined;
  readonly onChoose: (id: string) => void;
  readonly onOpenFolder: () => void;
}

function ProjectChoice({ projects, chosenId, onChoose, onOpenFolder }: ProjectChoiceProps): ReactNode {
  const chosen = projects.find(({ id }) => id === chosenId);
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2">
      {chosen === undefined ? (
        <p className="text-12 text-tx-2">An agent works on a folder. Open one first.</p>
      ) : (
        <Select
          label="Project"
          value={chosen.id}
          options={projects.map(({ id, name }) => ({ value: id, text: name }))}
          onChange={onChoose}
        />
      )}
      <Button onClick={onOpenFolder}>Open a folder</Button>
      {chosen === undefined ? null : (
        <code className="font-code min-w-0 truncate text-12 text-tx-3" title={chosen.folder}>
          {chosen.folder}
        </code>
      )}
    </div>
  );
}

interface TemplateRowProps {
  readonly template: AgentTemplate;
  readonly isChosen: boolean;
  readonly isBusy: boolean;
  readonly onChange: () => void;
  readonly onStart: () => void;
}

function TemplateRow({ template, isChosen, isBusy, onChange, onStart }: TemplateRowProps): ReactNode {
  return (
    <li className={`border-b border-hair px-3 py-2.5 last:border-b-0 ${isChosen ? 'bg-select' : 'bg-bg-0'}`}>
      <div className="flex items-baseline gap-2">
        <strong className="truncate text-13 font-strong">{template.title}</strong>
        <span className="text-12 text-tx-3">{template.agent.type}</span>
      </div>
      <p className="mt-0.5 text-12 text-pretty text-tx-2">{template.description}</p>
      <div className="mt-2 flex gap-1.5">
        <Button size="small" disabled={isBusy} aria-label={`Start ${template.title}`} onClick={onStart}>
          Start
        </Button>
        <Button
          size="small"
          look="quiet"
          aria-pressed={isChosen}
          aria-label={`Change ${template.title} first`}
          onClick={onChange}
        >
          Change first
        </Button>
      </div>
    </li>
  );
}
