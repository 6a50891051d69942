import type { ReactNode } from 'react';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { Agent } from '#shared/agents/model.ts';
import { shellText } from './shell-text.ts';
import { AgentConfigEditor } from './agent-config-editor.tsx';
import { limitTexts } from './agent-limits.ts';
import { Fact, Facts, PanelSection } from './panel-parts.tsx';

/** How an agent is set up, in full. */
export function AgentConfig({ agent }: { readonly agent: Agent }): ReactNode {
  const { config, template } = agent;
  const variables = Object.entries(config.environment);
  return (
    <AgentConfigEditor agent={agent}>
      <PanelSection title="What it is" aside={template === null ? 'made without a template' : `from the template ${template}`}>
        <Facts>
          <Fact name="Type">{config.type}</Fact>
          <Fact name="Runtime">{config.runtime === 'tmux' ? 'tmux, outlives the app' : 'pty, ends with the app'}</Fact>
          <Fact name="Workspace">{config.workspace.mode}, the project folder itself</Fact>
          <Fact name="Description">
            {config.description === '' ? <span className="text-tx-3">none</span> : visibleText(config.description)}
          </Fact>
          <Fact name="Capabilities">
            {config.capabilities.length === 0 ? <span className="text-tx-3">none</span> : config.capabilities.join(', ')}
          </Fact>
        </Facts>
      </PanelSection>
      {config.command === undefined ? null : (
        <PanelSection title="Command" aside="run without a shell">
          <code
            tabIndex={0}
            className="font-code block max-h-40 overflow-auto rounded-2 border border-hair bg-well px-2.5 py-1.5 text-12 leading-[18px] break-words whitespace-pre-wrap text-t-fg"
          >
            {shellText(config.command)}
          </code>
        </PanelSection>
      )}
      <PanelSection title="Limits">
        <Facts>
          {limitTexts(agent).map(({ name, text }) => (
            <Fact key={name} name={name}>
              {text}
            </Fact>
          ))}
          <Fact name="At once">
            {config.maxConcurrentTasks} {config.maxConcurrentTasks === 1 ? 'task' : 'tasks'}
          </Fact>
        </Facts>
      </PanelSection>
      <PanelSection title="Environment" aside={`${variables.length} set`}>
        {variables.length === 0 ? (
          <p className="text-12 text-tx-3">Nothing beyond what every agent gets.</p>
        ) : (
          <dl className="font-code grid grid-cols-[minmax(96px,auto)_minmax(0,1fr)] gap-x-3 text-12 leading-5">
            {variables.map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="min-w-0 break-all text-tx-2">{name}</dt>
                <dd className="min-w-0 break-all text-tx-1">{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </PanelSection>
    </AgentConfigEditor>
  );
}
