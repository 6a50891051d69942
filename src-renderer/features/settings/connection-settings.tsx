import type { ReactNode } from 'react';
import { useState } from 'react';
import { CopyLine } from '#renderer/ui/copy-button.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { TokenList } from './token-list.tsx';
import type { SystemInfo } from '#renderer/store/use-system-info.ts';

/** How other programs reach this crew. */
export function ConnectionSettings({ info }: { readonly info: SystemInfo | undefined }): ReactNode {
  const [secret, setSecret] = useState<string>();
  if (info === undefined) return <SkeletonText lines={8} />;
  const origin = info.apiUrl.replace(/\/api$/, '');
  const bearer = `Authorization: Bearer ${secret ?? '<token>'}`;
  return (
    <>
      <SettingsGroup
        title="Claude Code"
        note="It then sees the crew and manages it: lists agents, starts them, sends them work. The first way needs no token where the quarterdeck command is installed; the second one carries a token that you make below."
      >
        <Named name="On this machine">
          <CopyLine text={`claude mcp add quarterdeck -- quarterdeck mcp --data-dir ${quoted(info.dataDir)}`} />
        </Named>
        <Named name="Over HTTP">
          <CopyLine text={`claude mcp add --transport http quarterdeck ${info.mcpUrl} --header "${bearer}"`} />
        </Named>
      </SettingsGroup>
      <SettingsGroup title="Scripts" note="Everything that the window does, over REST. The description of all calls is OpenAPI.">
        <Named name="REST">
          <CopyLine text={`curl -H "${bearer}" ${info.apiUrl}/v1/agents`} />
        </Named>
        <Named name="OpenAPI">
          <CopyLine text={`${info.apiUrl}/openapi.json`} />
        </Named>
        {window.quarterdeck === undefined ? (
          <p className="text-12">
            <a href={`${origin}/api/docs`} target="_blank" rel="noreferrer" className="underline underline-offset-2">
              Read the description of the calls
            </a>
          </p>
        ) : (
          // The desktop app opens no plain http address, its own neither.
          <Named name="The description of the calls, for a browser">
            <CopyLine text={`${origin}/api/docs`} />
          </Named>
        )}
      </SettingsGroup>
      <SettingsGroup
        title="Tokens"
        note="One for each program, so that each can be shut out by itself. A token is shown this one time; only its hash is kept."
      >
        <TokenList onMade={setSecret} />
      </SettingsGroup>
      <SettingsGroup
        title="Agents’ own interface"
        note="Agents that Quarterdeck starts get their address and token then; neither is typed in by hand."
      >
        <Named name="MCP">
          <CopyLine text={info.agentMcpUrl} />
        </Named>
      </SettingsGroup>
    </>
  );
}

function Named({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <p className="text-12 font-medium">{name}</p>
      {children}
    </div>
  );
}

/** A path as it stands in a shell. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
