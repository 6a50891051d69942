import { CircleStop, Ellipsis, Link2, Pause, Play, RotateCw, Square, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { HOME, pathOf } from '#renderer/navigation/routes.ts';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { fullTime, shortDuration } from '#renderer/ui/format-time.ts';
import { Menu, MenuItem, MenuSeparator } from '#renderer/ui/menu.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import { Tooltip } from '#renderer/ui/tooltip.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import type { Agent } from '#shared/agents/model.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import { BoundaryBadge } from './boundary-badge.tsx';
import { RemoveAgentDialog } from './remove-agent-dialog.tsx';
import { STATUS_LOOKS } from './status-look.ts';
import type { AgentAction } from './agent-actions.ts';
import type { LifecycleAction } from './use-lifecycle.ts';
import { useLifecycle } from './use-lifecycle.ts';

/** How an agent looks that waits for the operator, whatever its state is. */
const NEEDS_LOOK: StateLook = { shape: 'triangle', tone: 'needs', word: 'Needs you' };

interface AgentHeaderProps {
  readonly agent: Agent;
  /** Whether it waits for an answer of the operator. */
  readonly needsOperator: boolean;
}

/** The agent's name, its state, what confines it, and what can be done with it. */
export function AgentHeader({ agent, needsOperator }: AgentHeaderProps): ReactNode {
  const { actions, command, isBusy, stopByForce } = useLifecycle(agent);
  const { id, state, run } = agent;
  const look = needsOperator ? NEEDS_LOOK : STATUS_LOOKS[state.status];
  return (
    <header className="flex-none border-b border-hair bg-bg-1">
      <div className="flex min-h-[52px] flex-wrap items-center gap-x-3 gap-y-1.5 px-4 py-2">
        <div className="flex min-w-0 flex-[1_1_260px] items-center gap-2.5">
          <StateMark look={look} />
          <h1 className="min-w-0 truncate text-16 font-strong" title={id}>
            {id}
          </h1>
          <Tooltip
            label={
              <span className="flex flex-col">
                <span>{visibleText(state.evidence.detail)}</span>
                <span className="text-tx-2">since {fullTime(state.since)}</span>
              </span>
            }
          >
            {/* The evidence must be reachable by keys as well as by the pointer. */}
            <button type="button" className="flex-none rounded-1 text-12">
              <StateWord look={look} />
            </button>
          </Tooltip>
          <span className="min-w-0 truncate text-12 text-tx-3">
            {agent.config.type}
            {isAlive(state.status) && run !== null ? <Uptime since={run.startedAt} /> : null}
          </span>
        </div>
        <BoundaryBadge agent={agent} look="frame" />
        <div className="flex flex-none items-center gap-2">
          <span role="group" aria-label={`Life of ${id}`} className="inline-flex">
            {actions.map((action) => (
              <StepButton key={action.step} action={action} isDisabled={isBusy} />
            ))}
          </span>
          <MoreMenu agent={agent} stopByForce={stopByForce} />
        </div>
      </div>
      {command.problem === undefined ? null : (
        <Notice title={`${id} was not changed.`} detail={command.problem}>
          <Button size="small" onClick={command.dismiss}>
            Dismiss
          </Button>
        </Notice>
      )}
    </header>
  );
}

/** Name and state in one line, for a window that shows nothing else of the agent. */
export function AgentLine({ agent: { id, state, config } }: { readonly agent: Agent }): ReactNode {
  const look = STATUS_LOOKS[state.status];
  return (
    <header className="flex h-9 flex-none items-center gap-2 border-b border-hair bg-bg-1 px-4 text-12">
      <StateMark look={look} />
      <h1 className="min-w-0 truncate text-13 font-strong">{id}</h1>
      <StateWord look={look} />
      <span className="min-w-0 truncate text-tx-3">{config.type}</span>
    </header>
  );
}

const ICONS: Readonly<Record<AgentAction, ReactNode>> = {
  start: <Play aria-hidden className="size-3.5" />,
  pause: <Pause aria-hidden className="size-3.5" />,
  resume: <Play aria-hidden className="size-3.5" />,
  restart: <RotateCw aria-hidden className="size-3.5" />,
  stop: <Square aria-hidden className="size-3" />,
};

function StepButton({ action, isDisabled }: { readonly action: LifecycleAction; readonly isDisabled: boolean }): ReactNode {
  return (
    <Tooltip label={action.text} shortcut={action.keys}>
      <Button
        icon={ICONS[action.step]}
        disabled={isDisabled}
        onClick={action.run}
        aria-label={action.text}
        className="-ml-px rounded-none! px-2! first:ml-0 first:rounded-l-2! last:rounded-r-2! hover:z-10 focus-visible:z-10 wide:px-2.5!"
      >
        <span className="hidden wide:inline">{action.text}</span>
      </Button>
    </Tooltip>
  );
}

interface MoreMenuProps {
  readonly agent: Agent;
  readonly stopByForce: (() => void) | undefined;
}

function MoreMenu({ agent, stopByForce }: MoreMenuProps): ReactNode {
  const [isRemoving, setRemoving] = useState(false);
  const { id } = agent;
  // One from outside is not ours to stop: its access ends with it.
  const mustStop = isAlive(agent.state.status) && !isExternal(agent);
  const copyLink = (): void => {
    const link = `quarterdeck:/${pathOf({ page: 'agent', id, tab: 'overview' })}`;
    navigator.clipboard.writeText(link).then(
      () => showToast({ title: 'Copied the link to this agent', detail: link, id: 'agent-link' }),
      () => showToast({ title: 'Not copied: the browser refused', detail: link, tone: 'failed', id: 'agent-link' }),
    );
  };
  return (
    <>
      <Menu
        label={`More of ${id}`}
        align="end"
        trigger={<IconButton label={`More of ${id}`} icon={<Ellipsis aria-hidden className="size-4" />} />}
      >
        <MenuItem icon={<Link2 aria-hidden className="size-3.5" />} onSelect={copyLink}>
          Copy the link
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          icon={<CircleStop aria-hidden className="size-3.5" />}
          disabled={stopByForce === undefined}
          onSelect={() => stopByForce?.()}
        >
          Stop by force
        </MenuItem>
        <MenuItem
          tone="danger"
          icon={<Trash2 aria-hidden className="size-3.5" />}
          disabled={mustStop}
          onSelect={() => setRemoving(true)}
        >
          {mustStop ? 'Remove (stop it first)' : 'Remove'}
        </MenuItem>
      </Menu>
      <RemoveAgentDialog
        agentId={id}
        isOpen={isRemoving}
        onClose={() => setRemoving(false)}
        onRemoved={() => {
          showToast({ title: `${id} was removed`, detail: 'Its messages and its place in the journal stay.' });
          goTo(HOME, { isReplacing: true });
        }}
      />
    </>
  );
}

function Uptime({ since }: { readonly since: number }): ReactNode {
  const now = useNow(1_000);
  return (
    <span title={`started ${fullTime(since)}`}>
      {' · up '}
      <span className="figures">{shortDuration(now - since)}</span>
    </span>
  );
}
