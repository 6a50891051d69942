/** `completion`: scripts that complete commands, options and agents' ids in bash, zsh and fish. */
import type { Command } from 'commander';
import * as z from 'zod';
import type { CommandHost } from '../command.ts';
import { addCommand, NoOptions } from '../command.ts';
import { completionScript } from '../completion-script.ts';
import { agentIds } from './agents.ts';

const Shell = z.enum(['bash', 'zsh', 'fish'], 'Name the shell: bash, zsh or fish.');

/** Adds `completion`, and what its scripts ask for agents' ids. */
export function addCompletionCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'completion <shell>',
    summary: 'Print a completion script for bash, zsh or fish',
    examples: [
      ['quarterdeck completion bash > ~/.local/share/bash-completion/completions/quarterdeck', 'bash'],
      ['quarterdeck completion zsh > "${fpath[1]}/_quarterdeck"', 'zsh'],
      ['quarterdeck completion fish > ~/.config/fish/completions/quarterdeck.fish', 'fish'],
    ],
    options: NoOptions,
    run: (call) => {
      const shell = Shell.parse(call.args[0]);
      const script = completionScript(shell, program);
      call.out.result({ shell, script }, () => call.out.line(script.trimEnd()));
      return Promise.resolve();
    },
  });
  const ids = addCommand(program, host, {
    usage: 'complete-agents',
    summary: "Print agents' ids, one per line; nothing when there is no core",
    options: NoOptions,
    run: async (call) => {
      for (const id of await agentIds(call)) call.out.line(id);
    },
  });
  // Only the scripts call it.
  Object.assign(ids, { _hidden: true });
}
