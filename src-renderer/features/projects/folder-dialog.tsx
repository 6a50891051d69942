import { Folder, FolderGit2, FolderUp } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { problemOf, useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import { Dialog } from '#renderer/ui/dialog.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { VirtualList } from '#renderer/ui/virtual-list.tsx';
import type { FolderListing, Project } from '#shared/projects/model.ts';

/** Height of a row, in pixels. */
const ROW_PX = 28;

interface FolderDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onOpened: (project: Project) => void;
}

/** Chooses a folder of the machine that the core runs on, and opens it as a project. */
export function FolderDialog({ isOpen, onClose, onOpened }: FolderDialogProps): ReactNode {
  return isOpen ? <FolderChooser onClose={onClose} onOpened={onOpened} /> : null;
}

/** Up and down go from row to row; more rows are made on both sides of what is seen than one step leads. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const rows = [...event.currentTarget.querySelectorAll('button')];
  const at = rows.findIndex((row) => row === document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  event.preventDefault();
}

/** A row of the list of folders. */
interface Row {
  /** Where it leads. */
  readonly path: string;
  readonly text: string;
  readonly kind: 'above' | 'plain' | 'repository';
}

/** The rows of a listing: the way up first. */
function rowsOf({ parent, folders }: FolderListing): readonly Row[] {
  return [
    ...(parent === null ? [] : [{ path: parent, text: '..', kind: 'above' as const }]),
    ...folders.map(({ path, name, isGitRepository }): Row => ({
      path,
      text: name,
      kind: isGitRepository ? 'repository' : 'plain',
    })),
  ];
}

function FolderChooser({ onClose, onOpened }: Omit<FolderDialogProps, 'isOpen'>): ReactNode {
  const session = useSession();
  const open = useCommand();
  const [listing, setListing] = useState<FolderListing>();
  const [problem, setProblem] = useState<string>();
  const [path, setPath] = useState('');
  // Offered, never assumed: one Enter in the home folder must not make a repository of it.
  const [initGit, setInitGit] = useState(false);
  const newest = useRef(0);
  /** How often something was typed: what was typed while an answer was under way stays. */
  const typed = useRef(0);

  const browse = useCallback(
    (wanted: string | undefined) => {
      newest.current += 1;
      const mine = newest.current;
      const typedBefore = typed.current;
      Promise.resolve()
        .then(() => session.client.projects.browse(wanted === undefined ? {} : { path: wanted }))
        .then((answer) => {
          // A slower answer to an earlier question is of no interest any more.
          if (mine !== newest.current) return;
          setListing(answer);
          if (typed.current === typedBefore) setPath(answer.path);
          setProblem(undefined);
        })
        .catch((error: unknown) => {
          if (mine === newest.current) setProblem(problemOf(error));
        });
    },
    [session],
  );
  useEffect(() => browse(undefined), [browse]);

  // In the desktop app only: a browser cannot name a folder of the machine.
  const system = window.quarterdeck;
  const chooseInSystem = (): void => {
    system
      ?.chooseFolder({ title: 'Open a folder', ...(path === '' ? {} : { startAt: path }) })
      .then((chosen) => (chosen === null ? undefined : browse(chosen)))
      .catch((error: unknown) => setProblem(problemOf(error)));
  };

  const choose = async (): Promise<void> => {
    const isPlain = listing !== undefined && listing.path === path && !listing.isGitRepository;
    const project = await session.client.projects.open({ folder: path, ...(isPlain && initGit ? { initGit: true } : {}) });
    onClose();
    onOpened(project);
  };

  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Open a folder"
      description="Agents work on a folder, best a git repository."
      footer={
        <>
          {system === undefined ? null : (
            <Button className="mr-auto" onClick={chooseInSystem}>
              Choose in the system’s dialog
            </Button>
          )}
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="ink" type="submit" form="folder-form" disabled={open.isRunning || path === ''}>
            {listing?.path === path ? 'Open this folder' : 'Go there'}
          </Button>
        </>
      }
    >
      <form
        id="folder-form"
        className="flex min-h-0 flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (listing?.path === path) open.run(choose);
          else browse(path);
        }}
      >
        <TextField
          label="Folder"
          isCode
          value={path}
          onChange={(text) => {
            typed.current += 1;
            setPath(text);
          }}
          autoComplete="off"
          spellCheck={false}
          hint="Type a path and press Enter, or go through the folders below."
          {...(problem === undefined ? {} : { error: problem })}
        />
        <div className="h-64 overflow-hidden rounded-2 border border-hair bg-bg-0" onKeyDown={moveFocus}>
          {listing === undefined ? (
            <div className="p-3">{problem === undefined ? <SkeletonText lines={6} /> : null}</div>
          ) : (
            <VirtualList
              // Another folder is another list, shown from its start.
              key={listing.path}
              label={`Folders in ${listing.path}`}
              items={rowsOf(listing)}
              keyOf={(row) => row.path}
              estimateHeight={ROW_PX}
              renderItem={(row) => <FolderRow row={row} onPick={() => browse(row.path)} />}
            />
          )}
        </div>
        {listing?.isCut === true ? (
          <p className="-mt-1 text-12 text-tx-3">
            There are more: only the first {listing.folders.length} are listed. Type the path of another.
          </p>
        ) : null}
        {listing !== undefined && listing.path === path && !listing.isGitRepository ? (
          <Checkbox
            label="Make it a git repository (git init), so that work can be compared and undone"
            checked={initGit}
            onChange={setInitGit}
          />
        ) : null}
        {open.problem === undefined ? null : <Notice title="The folder was not opened." detail={open.problem} />}
      </form>
    </Dialog>
  );
}

const ICONS: Readonly<Record<Row['kind'], LucideIcon>> = { above: FolderUp, plain: Folder, repository: FolderGit2 };

function FolderRow({ row, onPick }: { readonly row: Row; readonly onPick: () => void }): ReactNode {
  const Icon = ICONS[row.kind];
  return (
    <button
      type="button"
      onClick={onPick}
      {...(row.kind === 'above' ? { 'aria-label': 'The folder above' } : {})}
      className="flex h-7 w-full items-center gap-2 px-2.5 text-left text-13 text-tx-2 hover:bg-bg-2 hover:text-tx-1"
    >
      <Icon aria-hidden className="size-3.5 flex-none" />
      <span className="truncate">{row.text}</span>
      {row.kind === 'repository' ? <span className="ml-auto flex-none text-12 text-tx-3">git repository</span> : null}
    </button>
  );
}
