import { ChevronDown, FolderOpen, Search, Square } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, useRoute } from '#renderer/navigation/use-route.tsx';
import type { Route } from '#renderer/navigation/routes.ts';
import { HOME } from '#renderer/navigation/routes.ts';
import { chooseProject, useAgents, useProject, useProjects } from '#renderer/store/project-scope.ts';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { useHasAttention, useQuestions } from '#renderer/store/use-attention.ts';
import { Button } from '#renderer/ui/button.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { Menu, MenuItem, MenuRadioGroup, MenuRadioItem, MenuSeparator } from '#renderer/ui/menu.tsx';
import { isAlive } from '#shared/agents/model.ts';
import { FleetCounts } from './fleet-counts.tsx';
import { NotificationCentre } from './notification-centre.tsx';

interface TopBarProps {
  readonly onSearch: () => void;
  readonly onOpenFolder: () => void;
  readonly onStopAll: () => void;
  readonly isStopping: boolean;
}

/** Project, search, what needs the operator, how the fleet stands, Stop all: the same on every screen. */
export function TopBar({ onSearch, onOpenFolder, onStopAll, isStopping }: TopBarProps): ReactNode {
  const agents = useAgents();
  const hasCrew = useWindowState((state) => state.hasCrew);
  const hasAttention = useHasAttention();
  const asking = useQuestions();
  const alive = agents.filter(({ state }) => isAlive(state.status) || state.status === 'lost').length;
  return (
    <header className="flex h-11 min-w-0 items-center gap-3 border-b border-hair bg-bg-1 pr-3 pl-4 max-[560px]:gap-2 max-[560px]:pr-2 wide:grid wide:grid-cols-[minmax(0,1fr)_auto_minmax(max-content,1fr)]">
      <div className="flex min-w-0 items-center gap-3">
        <ProjectMenu onOpenFolder={onOpenFolder} />
        <Crumbs />
      </div>
      <button
        type="button"
        onClick={onSearch}
        className="mx-auto flex h-7 w-44 min-w-32 shrink items-center gap-2 rounded-2 border border-hair-strong bg-field-bg px-2.5 text-12 text-tx-3 hover:border-tx-3 max-[560px]:mr-0 max-[560px]:w-7 max-[560px]:min-w-7 max-[560px]:shrink-0 max-[560px]:justify-center max-[560px]:px-0 wide:mx-0 wide:w-80"
      >
        <Search aria-hidden className="size-3.5 flex-none" />
        <span className="hidden truncate wide:inline">Search or run a command</span>
        <span className="truncate max-[560px]:sr-only wide:hidden">Search</span>
        <span className="ml-auto flex-none max-[560px]:hidden">
          <KeyHint>Ctrl K</KeyHint>
        </span>
      </button>
      <div className="flex flex-none items-center justify-end gap-3 max-[560px]:gap-2">
        {agents.length === 0 ? (
          <span className="text-12 text-tx-3 max-[560px]:hidden">{hasCrew ? 'No agents yet' : ''}</span>
        ) : hasAttention ? (
          <FleetCounts agents={agents} asking={asking} />
        ) : null}
        <NotificationCentre />
        <Button
          icon={<Square aria-hidden className="size-3" />}
          disabled={alive === 0 || isStopping}
          onClick={onStopAll}
          aria-label="Stop all"
          className="max-[560px]:w-7 max-[560px]:px-0!"
          title={alive === 0 ? 'No agent runs' : `Stops ${alive} ${alive === 1 ? 'agent' : 'agents'}; what they have done stays`}
        >
          <span className="max-[560px]:hidden">Stop all</span>
        </Button>
      </div>
    </header>
  );
}

/** Which project is shown. */
function ProjectMenu({ onOpenFolder }: { readonly onOpenFolder: () => void }): ReactNode {
  const projects = useProjects();
  const project = useProject();
  const shown = project?.name ?? (projects.length === 1 ? projects[0]?.name : undefined) ?? 'All projects';
  if (projects.length === 0) return <span className="text-13 font-strong">Quarterdeck</span>;
  return (
    <Menu
      label="Project"
      trigger={
        <button
          type="button"
          className="-ml-2 flex h-8 min-w-0 items-center gap-1.5 rounded-2 px-2 text-13 font-strong hover:bg-bg-2"
          title={project?.folder}
        >
          <span className="sr-only">Project: </span>
          <span className="max-w-48 truncate">{shown}</span>
          <ChevronDown aria-hidden className="size-3.5 flex-none text-tx-3" />
        </button>
      }
    >
      <MenuRadioGroup value={project?.id ?? ''} onChange={(id) => chooseProject(id === '' ? undefined : id)}>
        <MenuRadioItem value="">All projects</MenuRadioItem>
        {projects.map(({ id, name, folder }) => (
          <MenuRadioItem key={id} value={id}>
            <span className="truncate">{name}</span>
            <span className="font-code ml-3 max-w-64 truncate text-11 text-tx-3">{folder}</span>
          </MenuRadioItem>
        ))}
      </MenuRadioGroup>
      <MenuSeparator />
      <MenuItem icon={<FolderOpen aria-hidden className="size-3.5" />} shortcut="Ctrl O" onSelect={onOpenFolder}>
        Open a folder
      </MenuItem>
    </Menu>
  );
}

/** The way back from inside a screen. The top of each screen says itself where it is. */
function Crumbs(): ReactNode {
  const route = useRoute();
  const crumb = crumbOf(route);
  if (crumb === undefined) return null;
  return (
    <nav aria-label="Breadcrumb" className="hidden min-w-0 items-center gap-1.5 text-12 wide:flex">
      <Link to={crumb.parent} className="rounded-1 text-tx-2 hover:text-tx-1">
        {crumb.parentText}
      </Link>
      <span aria-hidden className="text-tx-3">
        /
      </span>
      <span aria-current="page" className="truncate">
        {crumb.text}
      </span>
    </nav>
  );
}

function crumbOf(route: Route): { parent: Route; parentText: string; text: string } | undefined {
  if (route.page === 'agent') return { parent: HOME, parentText: 'Agents', text: route.id };
  if (route.page === 'new-agent') return { parent: HOME, parentText: 'Agents', text: 'New agent' };
  return undefined;
}
