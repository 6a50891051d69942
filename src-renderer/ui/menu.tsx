import { Check, Circle } from 'lucide-react';
import { ContextMenu as RadixContextMenu, DropdownMenu } from 'radix-ui';
import { createContext, use } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { FLOATING, FLOATING_ROW } from './floating.ts';
import { readableKeys } from './readable-keys.ts';

/** The same items stand in menus of a button and in context menus; which parts they are made of is known here. */
const IsContextMenu = createContext(false);

const PANEL = `${FLOATING} max-h-(--radix-popper-available-height) min-w-44 max-w-80 overflow-y-auto p-1`;

interface MenuProps {
  /** The button that opens it. */
  readonly trigger: ReactElement;
  /** The menu's name for screen readers. */
  readonly label: string;
  readonly align?: 'start' | 'end';
  readonly children: ReactNode;
}

/** A menu at a button. */
export function Menu({ trigger, label, align = 'start', children }: MenuProps): ReactNode {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          aria-label={label}
          aria-labelledby={undefined}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          loop
          className={`${PANEL} max-h-(--radix-dropdown-menu-content-available-height)`}
        >
          <IsContextMenu value={false}>{children}</IsContextMenu>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface ContextMenuProps {
  /** What the menu holds: MenuItem and the like. */
  readonly items: ReactNode;
  /** The menu's name for screen readers. */
  readonly label?: string;
  /** One element, on which the menu opens by the right button or the menu key. */
  readonly children: ReactElement;
}

/** A menu where the pointer is. Everything in it must be reachable another way too. */
export function ContextMenu({ items, label = 'Actions', children }: ContextMenuProps): ReactNode {
  return (
    <RadixContextMenu.Root modal={false}>
      <RadixContextMenu.Trigger asChild>{children}</RadixContextMenu.Trigger>
      <RadixContextMenu.Portal>
        <RadixContextMenu.Content
          aria-label={label}
          collisionPadding={8}
          loop
          className={`${PANEL} max-h-(--radix-context-menu-content-available-height)`}
        >
          <IsContextMenu value={true}>{items}</IsContextMenu>
        </RadixContextMenu.Content>
      </RadixContextMenu.Portal>
    </RadixContextMenu.Root>
  );
}

interface MenuItemProps {
  readonly onSelect: () => void;
  readonly icon?: ReactNode;
  /** The keys that do the same, as commands write them. */
  readonly shortcut?: string | undefined;
  readonly disabled?: boolean;
  readonly tone?: 'danger';
  readonly children: ReactNode;
}

/** Does something. */
export function MenuItem({ onSelect, icon, shortcut, disabled = false, tone, children }: MenuItemProps): ReactNode {
  const Item = use(IsContextMenu) ? RadixContextMenu.Item : DropdownMenu.Item;
  const colour = tone === 'danger' ? 'text-st-failed data-highlighted:bg-failed-bg' : 'text-tx-1';
  return (
    <Item onSelect={onSelect} disabled={disabled} className={`${FLOATING_ROW} ${colour}`}>
      {icon === undefined ? null : <span className="inline-flex w-3.5 flex-none justify-center text-tx-2">{icon}</span>}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {shortcut === undefined ? null : <span className="flex-none pl-4 text-tx-3">{readableKeys(shortcut)}</span>}
    </Item>
  );
}

interface MenuCheckItemProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
  readonly children: ReactNode;
}

/** Switches something on and off. The menu stays open. */
export function MenuCheckItem({ checked, onChange, disabled = false, children }: MenuCheckItemProps): ReactNode {
  const parts = use(IsContextMenu) ? RadixContextMenu : DropdownMenu;
  return (
    <parts.CheckboxItem
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      onSelect={(event) => event.preventDefault()}
      className={FLOATING_ROW}
    >
      <span className="inline-flex w-3.5 flex-none justify-center">
        <parts.ItemIndicator>
          <Check aria-hidden className="size-3.5" />
        </parts.ItemIndicator>
      </span>
      <span className="min-w-0 flex-1 truncate">{children}</span>
    </parts.CheckboxItem>
  );
}

interface MenuRadioGroupProps<T extends string> {
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly children: ReactNode;
}

/** One of several MenuRadioItem. */
export function MenuRadioGroup<T extends string>({ value, onChange, children }: MenuRadioGroupProps<T>): ReactNode {
  const Group = use(IsContextMenu) ? RadixContextMenu.RadioGroup : DropdownMenu.RadioGroup;
  return (
    // The values are those of the items, which the caller writes.
    <Group value={value} onValueChange={(chosen) => onChange(chosen as T)}>
      {children}
    </Group>
  );
}

/** A choice of a MenuRadioGroup. */
export function MenuRadioItem({ value, children }: { readonly value: string; readonly children: ReactNode }): ReactNode {
  const parts = use(IsContextMenu) ? RadixContextMenu : DropdownMenu;
  return (
    <parts.RadioItem value={value} className={FLOATING_ROW}>
      <span className="inline-flex w-3.5 flex-none justify-center">
        <parts.ItemIndicator>
          <Circle aria-hidden className="size-2 fill-current" />
        </parts.ItemIndicator>
      </span>
      <span className="min-w-0 flex-1 truncate">{children}</span>
    </parts.RadioItem>
  );
}

/** The heading of the items that follow. */
export function MenuLabel({ children }: { readonly children: ReactNode }): ReactNode {
  const Label = use(IsContextMenu) ? RadixContextMenu.Label : DropdownMenu.Label;
  return <Label className="flex h-6 items-center px-2 text-12 text-tx-3">{children}</Label>;
}

/** A line between items. */
export function MenuSeparator(): ReactNode {
  const Separator = use(IsContextMenu) ? RadixContextMenu.Separator : DropdownMenu.Separator;
  return <Separator className="-mx-1 my-1 h-px bg-hair" />;
}
