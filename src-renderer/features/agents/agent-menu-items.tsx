import { Check, Copy, ExternalLink, MessageSquareText, Pause, Play, RotateCw, Square, StepForward } from 'lucide-react';
import type { ReactNode } from 'react';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { MenuItem, MenuSeparator } from '#renderer/ui/menu.tsx';
import type { Agent } from '#shared/agents/model.ts';
import type { AgentAction } from './agent-actions.ts';
import { ACTION_KEYS, ACTION_WORDS, AGENT_ACTIONS, canDo } from './agent-actions.ts';
import type { FleetHands } from './fleet-agent.ts';

const SIZE = 'size-3.5';

/** The icon of each action. */
export const ACTION_ICONS: Readonly<Record<AgentAction, ReactNode>> = {
  start: <Play aria-hidden className={SIZE} />,
  stop: <Square aria-hidden className={SIZE} />,
  pause: <Pause aria-hidden className={SIZE} />,
  resume: <StepForward aria-hidden className={SIZE} />,
  restart: <RotateCw aria-hidden className={SIZE} />,
};

interface AgentMenuItemsProps {
  readonly agent: Agent;
  readonly isSelected: boolean;
  readonly hands: FleetHands;
}

/** What can be done with one agent, for its context menu and its menu of the same things. */
export function AgentMenuItems({ agent, isSelected, hands }: AgentMenuItemsProps): ReactNode {
  const { id, run } = agent;
  const attach = run?.attachCommand ?? null;
  return (
    <>
      <MenuItem
        icon={<ExternalLink aria-hidden className={SIZE} />}
        shortcut="Enter"
        onSelect={() => goTo({ page: 'agent', id, tab: 'overview' })}
      >
        Open
      </MenuItem>
      <MenuItem icon={<MessageSquareText aria-hidden className={SIZE} />} shortcut="m" onSelect={() => hands.onMessage(id)}>
        Write a message
      </MenuItem>
      <MenuItem icon={<Check aria-hidden className={SIZE} />} shortcut="x" onSelect={() => hands.onToggle(id, false)}>
        {isSelected ? 'Unselect' : 'Select'}
      </MenuItem>
      <MenuSeparator />
      {AGENT_ACTIONS.filter((action) => canDo(action, agent)).map((action) => (
        <MenuItem
          key={action}
          icon={ACTION_ICONS[action]}
          shortcut={ACTION_KEYS[action]}
          onSelect={() => hands.onAction(id, action)}
        >
          {ACTION_WORDS[action].verb}
        </MenuItem>
      ))}
      {attach === null ? null : (
        <>
          <MenuSeparator />
          <MenuItem
            icon={<Copy aria-hidden className={SIZE} />}
            onSelect={() => {
              navigator.clipboard.writeText(attach).catch(() => undefined);
            }}
          >
            Copy the command that attaches
          </MenuItem>
        </>
      )}
    </>
  );
}
