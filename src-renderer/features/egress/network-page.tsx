import type { ReactNode } from 'react';
import { Link, useQueryParameter } from '#renderer/navigation/use-route.tsx';
import { useSession } from '#renderer/store/session-context.tsx';
import { useAsked } from '#renderer/store/use-asked.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { PanelSection } from '#renderer/ui/panel.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { Segmented } from '#renderer/ui/segmented.tsx';
import type { Agent } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import type { EgressMode } from '#shared/egress/model.ts';
import { ConnectionList } from './connection-list.tsx';
import { KeyField } from './key-field.tsx';
import { ModeChoice } from './reach-choice.tsx';
import { RulesEditor } from './rules-editor.tsx';
import { useModelApis } from './use-model-apis.ts';

/** What was refused lately is proposed; how often that is looked for, in milliseconds. */
const PROPOSALS_EVERY_MS = 5_000;

/** What an agent reaches, what it tried to reach, and the way to change that while it runs. */
export function NetworkPage({ agent }: { readonly agent: Agent }): ReactNode {
  const [view, setView] = useQueryParameter('view');
  if (isExternal(agent))
    return (
      <EmptyState title="Nothing is watched here">
        <p>{agent.id} runs where it was started, outside Quarterdeck: what it reaches is not known here, and not decided here.</p>
      </EmptyState>
    );
  if (agent.boundary === 'host')
    return (
      <EmptyState title="Nothing is watched here">
        <p>
          {agent.id} runs on this machine as you, and reaches everything that you reach. An agent in a container or in bubblewrap
          reaches only the addresses that you allow, and each connection stands in a log here.
        </p>
        <Link to={{ page: 'agent', id: agent.id, tab: 'config' }} className="underline underline-offset-2">
          Change where it runs
        </Link>
      </EmptyState>
    );
  const isLog = view === 'log';
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-none items-center gap-3 border-b border-hair px-4 py-1.5">
        <Segmented
          label="What is shown"
          value={isLog ? 'log' : 'rules'}
          options={[
            { value: 'rules', text: 'Rules' },
            { value: 'log', text: 'Connections' },
          ]}
          onChange={(next) => setView(next === 'log' ? 'log' : '')}
        />
        {isLog ? null : <ServedText agent={agent} />}
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {isLog ? <ConnectionList agentId={agent.id} /> : <LiveRules agent={agent} />}
      </div>
    </div>
  );
}

/** Whether anything enforces the rules now, and so lets anything through. */
function ServedText({ agent }: { readonly agent: Agent }): ReactNode {
  const isRunning = isAlive(agent.state.status);
  const { answer } = useAsked(`egress ${agent.id} ${agent.state.status}`, (client) => client.egress.get({ id: agent.id }));
  if (!isRunning) return <span className="min-w-0 truncate text-12 text-tx-3">It does not run</span>;
  if (answer === undefined) return null;
  return (
    <span className={`min-w-0 truncate text-12 ${answer.isServed ? 'text-tx-3' : 'text-st-failed'}`}>
      {answer.isServed ? 'Held by the gateway' : 'No gateway: nothing gets out'}
    </span>
  );
}

function LiveRules({ agent }: { readonly agent: Agent }): ReactNode {
  const session = useSession();
  const command = useCommand();
  const { mode, rules } = agent.config.egress;
  const { id } = agent;
  const set = (changes: { readonly mode?: EgressMode; readonly rules?: readonly string[] }): void =>
    command.run(() =>
      session.client.egress.set({
        id,
        ...(changes.mode === undefined ? {} : { mode: changes.mode }),
        ...(changes.rules === undefined ? {} : { rules: [...changes.rules] }),
      }),
    );
  return (
    <>
      {command.problem === undefined ? null : (
        <Notice title="The rules stay as they were." detail={command.problem}>
          <Button size="small" onClick={command.dismiss}>
            Dismiss
          </Button>
        </Notice>
      )}
      <PanelSection title="Addresses it may reach" aside="at once, also while it runs">
        <RulesEditor rules={rules} isBusy={command.isRunning} onChange={(next) => set({ rules: next })} />
      </PanelSection>
      <PanelSection title="What no rule allows">
        <ModeChoice isLive mode={mode} onChange={(next) => set({ mode: next })} />
        {mode === 'learn' ? (
          <Proposals agent={agent} isBusy={command.isRunning} onAllow={(more) => set({ rules: [...rules, ...more] })} />
        ) : null}
      </PanelSection>
      <ModelApis agent={agent} />
    </>
  );
}

interface ProposalsProps {
  readonly agent: Agent;
  readonly isBusy: boolean;
  readonly onAllow: (rules: readonly string[]) => void;
}

function Proposals({ agent, isBusy, onAllow }: ProposalsProps): ReactNode {
  const { id, config } = agent;
  const { answer, problem } = useAsked(`proposals ${id}`, (client) => client.egress.proposals({ agentId: id }), {
    isChangedBy: ({ kind, subject }) => kind.startsWith('egress.') && subject === id,
    everyMs: () => PROPOSALS_EVERY_MS,
  });
  if (answer === undefined) return problem === undefined ? null : <p className="text-12 text-st-failed">{problem}</p>;
  const proposals = answer.proposals.filter(({ rule }) => !config.egress.rules.includes(rule));
  if (proposals.length === 0)
    return (
      <p className="mt-2 text-12 text-pretty text-tx-3">
        Nothing was refused so far that a rule would allow. Let it work for a while.
      </p>
    );
  return (
    <div className="mt-2 flex flex-col gap-1.5">
      <p className="flex items-center gap-2 text-12 text-tx-2">
        <span className="min-w-0 flex-1">{proposals.length} proposed. Allow what you know.</span>
        {proposals.length > 1 ? (
          <Button size="small" disabled={isBusy} onClick={() => onAllow(proposals.map(({ rule }) => rule))}>
            Allow all {proposals.length}
          </Button>
        ) : null}
      </p>
      <ul aria-label="Proposed rules" className="rounded-2 border border-hair">
        {proposals.map(({ rule, count, lastAt }) => (
          <li
            key={rule}
            className="flex min-h-9 items-center gap-2 border-b border-hair py-1 pr-1.5 pl-2.5 text-12 last:border-b-0"
          >
            <span className="min-w-0 flex-1">
              <code className="font-code break-all">{rule}</code>
              <span className="block text-tx-3">
                refused {count === 1 ? 'once' : `${count} times`}, <RelativeTime at={lastAt} />
              </span>
            </span>
            <Button size="small" disabled={isBusy} aria-label={`Allow ${rule}`} onClick={() => onAllow([rule])}>
              Allow
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function ModelApis({ agent: { id, config } }: { readonly agent: Agent }): ReactNode {
  const { answer, ask } = useModelApis();
  const own = answer?.filter(({ name }) => config.modelApis.includes(name));
  return (
    <PanelSection title="Model APIs" aside={config.modelApis.length === 0 ? 'none' : 'keys are added outside'}>
      {config.modelApis.length === 0 ? (
        <p className="text-12 text-pretty text-tx-3">
          {config.login === 'subscription'
            ? 'It logs in itself; that login is in its own home.'
            : 'None. With one the agent asks a model without ever seeing the key: the gateway adds it outside.'}{' '}
          <Link to={{ page: 'agent', id, tab: 'config' }} className="underline underline-offset-2">
            Change that
          </Link>
        </p>
      ) : (
        <ul className="rounded-2 border border-hair">
          {config.modelApis.map((name) => {
            const api = own?.find((one) => one.name === name);
            return (
              <li
                key={name}
                className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-hair px-2.5 py-1 text-12 last:border-b-0"
              >
                <strong className="font-medium">{name}</strong>
                {api === undefined ? (
                  <span className="text-tx-3">{answer === undefined ? '' : 'not among the model APIs any more'}</span>
                ) : (
                  <>
                    <span className="font-code min-w-0 flex-1 basis-28 truncate text-tx-3" title={api.upstream}>
                      {api.upstream.replace(/^https?:\/\//, '')}
                    </span>
                    <KeyField api={api} onStored={ask} />
                  </>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </PanelSection>
  );
}
