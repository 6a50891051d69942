import type { ReactNode } from 'react';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { Fact, Facts, PanelSection } from '#renderer/ui/panel.tsx';
import type { Agent } from '#shared/agents/model.ts';
import { isExternal } from '#shared/agents/model.ts';
import { shellText } from './shell-text.ts';
import { AgentConfigEditor } from './agent-config-editor.tsx';
import type { AgentFormParts } from './agent-form-parts.ts';
import { limitTexts } from './agent-limits.ts';
import { networkText } from './boundary-look.ts';
import { heartbeatText, LOGIN_WORDS, runtimeText, WORKSPACE_WORDS } from './config-words.ts';

/** How an agent is set up, in full. */
export function AgentConfig({ agent, parts }: { readonly agent: Agent; readonly parts: AgentFormParts }): ReactNode {
  const { config, template } = agent;
  return (
    <AgentConfigEditor agent={agent} parts={parts}>
      <PanelSection title="What it is" aside={template === null ? 'made without a template' : `from the template ${template}`}>
        <Facts>
          <Fact name="Type">{config.type}</Fact>
          <Fact name="Runtime">{runtimeText(config)}</Fact>
          {config.runtime === 'docker' ? (
            <Fact name="Image" isFigure={config.image !== undefined}>
              {config.image ?? 'the agent image'}
            </Fact>
          ) : null}
          <Fact name="Workspace">{isExternal(agent) ? 'not known here' : WORKSPACE_WORDS[config.workspace.mode]}</Fact>
          <Fact name="Reaches">
            {isExternal(agent) ? 'not known here' : agent.boundary === 'host' ? 'all that you reach' : networkText(config)}
          </Fact>
          <Fact name="Models">
            {isExternal(agent) ? 'not known here' : LOGIN_WORDS[config.login]}
            {config.modelApis.length === 0 ? '' : `: ${config.modelApis.join(', ')}`}
          </Fact>
          <Fact name="Description">
            {config.description === '' ? <span className="text-tx-3">none</span> : visibleText(config.description)}
          </Fact>
          <Fact name="Capabilities">
            {config.capabilities.length === 0 ? <span className="text-tx-3">none</span> : config.capabilities.join(', ')}
          </Fact>
          {config.external === undefined ? null : (
            <>
              <Fact name="Calls itself">{visibleText(config.external.name)}</Fact>
              <Fact name="Specialities">
                {config.external.specialisations.length === 0 ? (
                  <span className="text-tx-3">none</span>
                ) : (
                  config.external.specialisations.join(', ')
                )}
              </Fact>
              <Fact name="Heartbeat">{heartbeatText(config.external)}</Fact>
            </>
          )}
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
      {isExternal(agent) ? null : <LimitsSection agent={agent} />}
      {config.setup === undefined || config.setup === '' ? null : (
        <PanelSection title="Set-up script" aside="before each start">
          <code
            tabIndex={0}
            className="font-code block max-h-40 overflow-auto rounded-2 border border-hair bg-well px-2.5 py-1.5 text-12 leading-[18px] break-words whitespace-pre-wrap text-t-fg"
          >
            {visibleText(config.setup)}
          </code>
        </PanelSection>
      )}
      {isExternal(agent) ? null : <EnvironmentSection agent={agent} />}
    </AgentConfigEditor>
  );
}

function LimitsSection({ agent }: { readonly agent: Agent }): ReactNode {
  const { maxConcurrentTasks } = agent.config;
  return (
    <PanelSection title="Limits">
      <Facts>
        {limitTexts(agent).map(({ name, text }) => (
          <Fact key={name} name={name}>
            {text}
          </Fact>
        ))}
        <Fact name="At once">
          {maxConcurrentTasks} {maxConcurrentTasks === 1 ? 'task' : 'tasks'}
        </Fact>
      </Facts>
    </PanelSection>
  );
}

function EnvironmentSection({ agent }: { readonly agent: Agent }): ReactNode {
  const variables = Object.entries(agent.config.environment);
  return (
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
  );
}
