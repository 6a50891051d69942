/** Commands in React: who registers them, who reads them, and the one listener that turns keys into commands. */
import { createContext, use, useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import type { Command, CommandScope } from './command-registry.ts';
import { CommandRegistry } from './command-registry.ts';
import { isWithinReach, stepOf, strokeOf } from './keys.ts';

/** The registry of this window. */
const RegistryContext = createContext(new CommandRegistry());

/** A started sequence is forgotten after this long, in milliseconds. */
const SEQUENCE_MS = 1_200;

/** Makes commands available while the component is mounted. They may close over anything: the newest ones are run. */
export function useScreenCommands(title: string, commands: readonly Command[]): void {
  const registry = use(RegistryContext);
  const newest = useRef(commands);
  useEffect(() => {
    newest.current = commands;
  });
  // The list changes only when what can be seen of it does.
  const shape = JSON.stringify(
    commands.map(({ id, title: name, keys, isHidden, isGlobal }) => [id, name, keys, isHidden, isGlobal]),
  );
  useEffect(
    () =>
      registry.add({
        title,
        commands: newest.current.map((command) => ({
          ...command,
          run: () => newest.current.find(({ id }) => id === command.id)?.run(),
        })),
      }),
    [registry, title, shape],
  );
}

/** The scopes that are there now. */
export function useCommandScopes(): readonly CommandScope[] {
  return useStore(use(RegistryContext).store, ({ scopes }) => scopes);
}

/** Whether keys belong to something else: a field, or a terminal whose keyboard was taken (`data-keys="captured"`). */
function keysBelongElsewhere(target: EventTarget | null): 'no' | 'field' | 'captured' {
  if (!(target instanceof HTMLElement)) return 'no';
  if (target.closest('[data-keys="captured"]') !== null) return 'captured';
  // xterm's hidden text field takes no keys while one only watches.
  if (target.classList.contains('xterm-helper-textarea')) return 'no';
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) ? 'field' : 'no';
}

/** What is open over the page. A popover is a dialog to a screen reader, but the page behind it can still be used. */
function whatIsOpen(): { readonly isOverlaid: boolean; readonly isModal: boolean } {
  const open = [
    ...document.querySelectorAll(
      '[role="dialog"][data-state="open"], [role="menu"][data-state="open"], [role="listbox"][data-state="open"]',
    ),
  ];
  const isModal = open.some(
    (one) => one.getAttribute('role') === 'dialog' && one.closest('[data-radix-popper-content-wrapper]') === null,
  );
  return { isOverlaid: open.length > 0, isModal };
}

/** Listens for shortcuts. Mounted once. */
export function useShortcuts(): void {
  const registry = use(RegistryContext);
  useEffect(() => {
    let typed = '';
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listen = (event: KeyboardEvent): void => {
      const stroke = strokeOf(event);
      const belongs = keysBelongElsewhere(event.target);
      if (event.defaultPrevented || event.isComposing || stroke === undefined || belongs === 'captured') return;
      const place = { isField: belongs === 'field', ...whatIsOpen() };
      const all = registry.all();
      const step = stepOf(
        all.filter((command) => isWithinReach(command, place)),
        typed,
        stroke,
      );
      // Nor may the browser do what it does with such a key, as searching the web with Ctrl K.
      if (place.isModal && all.some(({ keys, isGlobal }) => isGlobal === true && keys === stroke)) event.preventDefault();
      clearTimeout(timer);
      typed = step.kind === 'wait' ? step.typed : '';
      if (step.kind === 'wait') timer = setTimeout(() => (typed = ''), SEQUENCE_MS);
      if (step.kind !== 'run') return;
      event.preventDefault();
      step.command.run();
    };
    document.addEventListener('keydown', listen);
    return () => {
      document.removeEventListener('keydown', listen);
      clearTimeout(timer);
    };
  }, [registry]);
}
