/** The command palette: every action of the present screen, every screen, every agent and project, by typing a few letters. */
import { Command as Cmdk } from 'cmdk';
import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { useMemo, useRef, useState } from 'react';
import { useCommandScopes } from '#renderer/commands/use-commands.tsx';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { chooseProject, useProjects } from '#renderer/store/project-scope.ts';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';

/** With more agents than this, they are listed only once something was typed. */
const AGENTS_SHOWN = 12;

interface PaletteProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** The palette, in a dialog. */
export function Palette({ isOpen, onClose }: PaletteProps): ReactNode {
  const opener = useRef<Element>(null);
  const chosen = useRef<() => void>(undefined);
  return (
    <Dialog.Root open={isOpen} onOpenChange={(open) => (open ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Overlay className="appear fixed inset-0 z-40 bg-scrim">
          <Dialog.Content
            aria-describedby={undefined}
            onOpenAutoFocus={() => {
              opener.current = document.activeElement;
            }}
            // What was chosen may move the focus itself, which an open dialog would take back: so it is done after.
            onCloseAutoFocus={(event) => {
              event.preventDefault();
              if (opener.current instanceof HTMLElement) opener.current.focus();
              const run = chosen.current;
              chosen.current = undefined;
              run?.();
            }}
            className="mx-auto mt-[12vh] w-140 max-w-[calc(100vw-32px)] overflow-hidden rounded-3 border border-hair-strong bg-bg-1 text-tx-1 focus:outline-none"
          >
            <Dialog.Title className="sr-only">Search or run a command</Dialog.Title>
            <PaletteList
              onChoose={(run) => {
                chosen.current = run;
                onClose();
              }}
            />
          </Dialog.Content>
        </Dialog.Overlay>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function PaletteList({ onChoose }: { readonly onChoose: (run: () => void) => void }): ReactNode {
  const scopes = useCommandScopes();
  const crew = useWindowState((state) => state.crew.agents);
  // Of all projects: who types a name means that agent, whichever project is shown.
  const agents = useMemo(() => Object.values(crew).toSorted((a, b) => (a.id < b.id ? -1 : 1)), [crew]);
  const projects = useProjects();
  const [search, setSearch] = useState('');
  const shownAgents = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    const found =
      wanted === '' ? agents : agents.filter(({ id, config }) => `${id} ${config.type}`.toLowerCase().includes(wanted));
    return found.slice(0, AGENTS_SHOWN);
  }, [agents, search]);
  const pick = (run: () => void) => () => onChoose(run);
  return (
    <Cmdk label="Search or run a command" loop className="flex min-h-0 flex-col">
      <Cmdk.Input
        value={search}
        onValueChange={setSearch}
        placeholder="Agents, projects, commands"
        className="h-11 w-full flex-none border-b border-hair bg-transparent px-4 text-14 outline-none placeholder:text-tx-3"
      />
      <Cmdk.List className="max-h-[min(420px,60vh)] overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-12 [&_[cmdk-group-heading]]:text-tx-3">
        <Cmdk.Empty className="px-2.5 py-6 text-13 text-tx-2">Nothing here is called “{search}”.</Cmdk.Empty>
        {scopes.map((scope) => {
          const commands = scope.commands.filter(({ isHidden }) => isHidden !== true);
          if (commands.length === 0) return null;
          return (
            <Cmdk.Group key={scope.title} heading={scope.title}>
              {commands.map(({ id, title, keys, run }) => (
                <PaletteItem key={id} value={`${title} ${id}`} onSelect={pick(run)}>
                  <span className="truncate">{title}</span>
                  {keys === undefined ? null : (
                    <span className="ml-auto flex-none text-tx-3">
                      <KeyHint>{keys}</KeyHint>
                    </span>
                  )}
                </PaletteItem>
              ))}
            </Cmdk.Group>
          );
        })}
        {shownAgents.length === 0 ? null : (
          <Cmdk.Group heading="Agents">
            {shownAgents.map(({ id, config }) => (
              <PaletteItem
                key={id}
                // Its name first: who types a name means it.
                value={`${id} ${config.type} agent`}
                onSelect={pick(() => goTo({ page: 'agent', id, tab: 'overview' }))}
              >
                <span className="truncate font-medium">{id}</span>
                <span className="text-tx-3">{config.type}</span>
              </PaletteItem>
            ))}
          </Cmdk.Group>
        )}
        {projects.length < 2 ? null : (
          <Cmdk.Group heading="Projects">
            {projects.map(({ id, name, folder }) => (
              <PaletteItem key={id} value={`${name} ${folder} project`} onSelect={pick(() => chooseProject(id))}>
                <span className="truncate font-medium">{name}</span>
                <span className="font-code truncate text-12 text-tx-3">{folder}</span>
              </PaletteItem>
            ))}
          </Cmdk.Group>
        )}
      </Cmdk.List>
    </Cmdk>
  );
}

interface PaletteItemProps {
  readonly value: string;
  readonly onSelect: () => void;
  readonly children: ReactNode;
}

function PaletteItem({ value, onSelect, children }: PaletteItemProps): ReactNode {
  return (
    <Cmdk.Item
      value={value}
      onSelect={onSelect}
      className="flex h-8 items-center gap-2.5 rounded-2 px-2.5 text-13 aria-selected:bg-select aria-selected:outline-2 aria-selected:-outline-offset-2 aria-selected:outline-focus"
    >
      {children}
    </Cmdk.Item>
  );
}
