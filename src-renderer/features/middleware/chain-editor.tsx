import { Plus } from 'lucide-react';
import { useLayoutEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Menu, MenuItem } from '#renderer/ui/menu.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import type { MiddlewareChain, ProjectMiddleware } from '#shared/middleware/model.ts';
import { MAX_STEPS } from '#shared/middleware/model.ts';
import type { Project } from '#shared/projects/model.ts';
import type { StepDraft } from './chain-draft.ts';
import { draftOf, moved, newStep, readChain, STEP_KINDS } from './chain-draft.ts';
import { StepRow } from './step-row.tsx';
import { KIND_WORDS } from './step-words.ts';
import { TryOut } from './try-out.tsx';

interface ChainEditorProps {
  readonly project: Project;
  readonly saved: ProjectMiddleware;
  readonly onChanged: () => void;
}

/** The steps in their order: switched on and off, edited, moved, tried; nothing holds before it is saved. */
export function ChainEditor({ project, saved, onChanged }: ChainEditorProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [base, setBase] = useState(saved);
  const [drafts, setDrafts] = useState<readonly StepDraft[]>(() => saved.chain.steps.map(draftOf));
  const [open, setOpen] = useState<string>();
  const [dragged, setDragged] = useState<string>();
  const [said, setSaid] = useState('');
  const chain = readChain(drafts);
  const isChanged = chain === undefined || JSON.stringify(chain) !== JSON.stringify(base.chain);

  const take = (next: ProjectMiddleware): void => {
    setBase(next);
    setDrafts(next.chain.steps.map(draftOf));
    setOpen(undefined);
  };
  // Somebody else has set another one: it is shown at once, but not over what is being edited.
  if (saved.revision > base.revision && !isChanged) take(saved);
  const isBehind = saved.revision > base.revision;

  const set = (next: MiddlewareChain, revision: number, title: string): void =>
    command.run(async () => {
      const before = base.chain;
      const after = await session.client.middleware.set({ projectId: project.id, chain: next, revision });
      take(after);
      onChanged();
      showToast({
        title,
        detail: 'It holds from the next message on.',
        actions: [{ text: 'Undo', onClick: () => set(before, after.revision, 'The steps are as before.') }],
      });
    });
  const edit = (key: string, changes: Partial<StepDraft>): void =>
    setDrafts(drafts.map((draft) => (draft.key === key ? { ...draft, ...changes } : draft)));

  // The row that was moved takes the focus along: where it stood another one stands now.
  const focusNext = useRef<{ readonly key: string; readonly way: 'up' | 'down' }>(undefined);
  const rows = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    const wanted = focusNext.current;
    if (wanted === undefined) return;
    focusNext.current = undefined;
    const row = rows.current?.querySelector(`[data-step="${wanted.key}"]`);
    const button = (way: string): HTMLButtonElement | null => row?.querySelector(`button[data-move="${way}"]:enabled`) ?? null;
    (button(wanted.way) ?? button(wanted.way === 'up' ? 'down' : 'up'))?.focus();
  }, [drafts]);
  const move = (key: string, to: number): void => {
    const from = drafts.findIndex((draft) => draft.key === key);
    const next = moved(drafts, from, to);
    setDrafts(next);
    const at = next.findIndex((draft) => draft.key === key);
    setSaid(`${next[at]?.id ?? ''} is step ${at + 1} of ${next.length} now.`);
  };
  const add = (kind: StepDraft['kind']): void => {
    const step = newStep(kind, drafts);
    setDrafts([...drafts, step]);
    setOpen(step.key);
  };

  return (
    <SettingsGroup
      title="What every message passes"
      note="In this order, before it is stored. A step sees what the one before it left; one that refuses a message tells its sender why, and nothing is stored. Without steps, messages go straight through."
    >
      {command.problem === undefined ? null : <Notice title="That was not done." detail={command.problem} />}
      {isBehind ? (
        <Notice tone="info" title="Somebody has set other steps meanwhile." detail="What you changed is not saved.">
          <Button size="small" onClick={() => take(saved)}>
            Show theirs
          </Button>
        </Notice>
      ) : null}
      <p aria-live="polite" className="sr-only">
        {said}
      </p>
      {drafts.length === 0 ? (
        <p className="rounded-2 border border-hair px-3 py-2 text-12 text-tx-3">There are no steps.</p>
      ) : (
        <ul ref={rows} aria-label="Steps" className="rounded-2 border border-hair">
          {drafts.map((draft, at) => (
            <StepRow
              key={draft.key}
              draft={draft}
              at={at}
              count={drafts.length}
              others={drafts}
              counters={isChanged ? undefined : saved.counters.find(({ id }) => id === draft.id)}
              isOpen={open === draft.key}
              isDragged={dragged === draft.key}
              onToggle={() => setOpen(open === draft.key ? undefined : draft.key)}
              onEdit={(changes) => edit(draft.key, changes)}
              onMove={(way) => {
                focusNext.current = { key: draft.key, way };
                move(draft.key, at + (way === 'up' ? -1 : 1));
              }}
              onRemove={() => {
                setDrafts(drafts.filter(({ key }) => key !== draft.key));
                setSaid(`${draft.id} is removed.`);
              }}
              onDrag={setDragged}
              onDropHere={() => {
                if (dragged !== undefined) move(dragged, at);
                setDragged(undefined);
              }}
            />
          ))}
        </ul>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Menu
          label="Add a step"
          trigger={
            <Button disabled={drafts.length >= MAX_STEPS} icon={<Plus aria-hidden className="size-3.5" />}>
              Add a step
            </Button>
          }
        >
          {STEP_KINDS.map((kind) => (
            <MenuItem key={kind} onSelect={() => add(kind)}>
              <strong className="font-medium">{KIND_WORDS[kind].title}</strong> {KIND_WORDS[kind].does}
            </MenuItem>
          ))}
        </Menu>
        {isChanged ? (
          <>
            <Button
              look="ink"
              disabled={chain === undefined || command.isRunning || isBehind}
              title={chain === undefined ? 'Put right what is marked first.' : undefined}
              onClick={() => (chain === undefined ? undefined : set(chain, base.revision, 'The steps are set.'))}
            >
              Save the steps
            </Button>
            <Button onClick={() => take(saved)}>Discard the changes</Button>
          </>
        ) : null}
      </div>
      <TryOut project={project} chain={chain} isChanged={isChanged} />
    </SettingsGroup>
  );
}
