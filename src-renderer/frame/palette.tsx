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
import type { PaletteEntry, PaletteGroup } from './palette-order.ts';
import { matchingGroups } from './palette-order.ts';

/** So many agents are listed at most: the others come when their names are typed. */
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

interface Choice extends PaletteEntry {
  readonly text: string;
  /** The type of an agent, the folder of a project. */
  readonly aside?: string;
  readonly keys?: string | undefined;
  readonly run: () => void;
}

/** All that can be chosen: what can be done here, then agents and projects. */
function useChoices(): readonly PaletteGroup<Choice>[] {
  const scopes = useCommandScopes();
  const crew = useWindowState((state) => state.crew.agents);
  const projects = useProjects();
  return useMemo(
    () => [
      ...scopes.map(({ title, commands }) => ({
        key: `commands ${title}`,
        heading: title,
        entries: commands
          .filter(({ isHidden }) => isHidden !== true)
          .map(({ id, title: text, keys, run }) => ({ key: id, words: text, text, keys, run })),
      })),
      {
        key: 'agents',
        heading: 'Agents',
        most: AGENTS_SHOWN,
        // Of all projects: who types a name means that agent, whichever project is shown.
        entries: Object.values(crew)
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
          .map(({ id, config }) => ({
            key: `agent ${id}`,
            words: `${id} ${config.type} agent`,
            text: id,
            aside: config.type,
            run: () => goTo({ page: 'agent', id, tab: 'overview' }),
          })),
      },
      {
        key: 'projects',
        heading: 'Projects',
        entries: (projects.length < 2 ? [] : projects).map(({ id, name, folder }) => ({
          key: `project ${id}`,
          words: `${name} ${folder} project`,
          text: name,
          aside: folder,
          run: () => chooseProject(id),
        })),
      },
    ],
    [scopes, crew, projects],
  );
}

function PaletteList({ onChoose }: { readonly onChoose: (run: () => void) => void }): ReactNode {
  const choices = useChoices();
  const [search, setSearch] = useState('');
  const groups = useMemo(() => matchingGroups(choices, search), [choices, search]);
  return (
    <Cmdk label="Search or run a command" loop shouldFilter={false} className="flex min-h-0 flex-col">
      <Cmdk.Input
        value={search}
        onValueChange={setSearch}
        placeholder="Agents, projects, commands"
        className="h-11 w-full flex-none border-b border-hair bg-transparent px-4 text-14 outline-none placeholder:text-tx-3"
      />
      <Cmdk.List className="max-h-[min(420px,60vh)] overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-12 [&_[cmdk-group-heading]]:text-tx-3">
        <Cmdk.Empty className="px-2.5 py-6 text-13 text-tx-2">Nothing here is called “{search}”.</Cmdk.Empty>
        {groups.map(({ key, heading, entries }) => (
          <Cmdk.Group key={key} value={key} heading={heading}>
            {entries.map((choice) => (
              <PaletteItem key={choice.key} choice={choice} onSelect={() => onChoose(choice.run)} />
            ))}
          </Cmdk.Group>
        ))}
      </Cmdk.List>
    </Cmdk>
  );
}

interface PaletteItemProps {
  readonly choice: Choice;
  readonly onSelect: () => void;
}

function PaletteItem({ choice: { key, text, aside, keys }, onSelect }: PaletteItemProps): ReactNode {
  return (
    <Cmdk.Item
      value={key}
      onSelect={onSelect}
      className="flex h-8 items-center gap-2.5 rounded-2 px-2.5 text-13 aria-selected:bg-select aria-selected:outline-2 aria-selected:-outline-offset-2 aria-selected:outline-focus"
    >
      <span className={`truncate ${aside === undefined ? '' : 'font-medium'}`}>{text}</span>
      {aside === undefined ? null : <span className="min-w-0 truncate text-12 text-tx-3">{aside}</span>}
      {keys === undefined ? null : (
        <span className="ml-auto flex-none text-tx-3">
          <KeyHint>{keys}</KeyHint>
        </span>
      )}
    </Cmdk.Item>
  );
}
