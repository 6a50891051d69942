/** Completion scripts, made from the commands themselves. */
import type { Command } from 'commander';

/** The shells there are scripts for. */
export type Shell = 'bash' | 'zsh' | 'fish';

/** One command with what may follow it. */
interface Node {
  /** The words that lead to it: "agents stop", or nothing for the program itself. */
  readonly path: string;
  readonly summary: string;
  readonly commands: readonly Node[];
  readonly options: readonly { readonly name: string; readonly description: string; readonly choices: readonly string[] }[];
  /** Whether agents' ids may follow. */
  readonly takesAgents: boolean;
}

const AGENT_ARGUMENTS = new Set(['id', 'ids', 'to']);
/** Commands whose <id> is something else. */
const OTHER_IDS = new Set(['messages show', 'tokens revoke']);

function nodeOf(command: Command, path: string): Node {
  const commands = command.createHelp().visibleCommands(command);
  return {
    path,
    summary: command.summary(),
    commands: commands
      .filter((child) => child.name() !== 'help')
      .map((child) => nodeOf(child, path === '' ? child.name() : `${path} ${child.name()}`)),
    options: command.options
      .filter((option) => option.long !== undefined && !option.hidden)
      .map((option) => ({ name: option.long ?? '', description: option.description, choices: option.argChoices ?? [] })),
    takesAgents: !OTHER_IDS.has(path) && command.registeredArguments.some((argument) => AGENT_ARGUMENTS.has(argument.name())),
  };
}

function all(node: Node): Node[] {
  return [node, ...node.commands.flatMap(all)];
}

function wordsOf(node: Node): string {
  return [...node.commands.map(({ path }) => path.split(' ').at(-1) ?? ''), ...node.options.map(({ name }) => name)].join(' ');
}

/** The path of commands so far is built word by word, so that options and arguments in between do not matter. */
function bash(root: Node): string {
  const nodes = all(root);
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
  return `# bash completion for quarterdeck and qd
_quarterdeck() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words="" agents=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${nodes.map((node) => `    "${node.path}") words="${wordsOf(node)}"${node.takesAgents ? '; agents=yes' : ''} ;;`).join('\n')}
  esac
  if [[ $agents == yes && $current != -* ]]; then words="$words $(quarterdeck complete-agents 2>/dev/null)"; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then compopt -o default; fi
}
complete -F _quarterdeck quarterdeck qd
`;
}

function zshText(text: string): string {
  return text.replaceAll(/[\\"'`$[\]:]/g, (character) => (character === ':' ? '\\:' : character === "'" ? "'\\''" : character));
}

function zsh(root: Node): string {
  const nodes = all(root);
  const entry = (name: string, text: string): string => `'${name}:${zshText(text)}'`;
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
  return `#compdef quarterdeck qd
_quarterdeck() {
  local at="" word agents=""
  local -a entries
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
      ${paths.join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${nodes
  .map((node) => {
    const entries = [
      ...node.commands.map(({ path, summary }) => entry(path.split(' ').at(-1) ?? '', summary)),
      ...node.options.map(({ name, description }) => entry(name, description)),
    ];
    return `    "${node.path}") entries=(${entries.join(' ')})${node.takesAgents ? '; agents=yes' : ''} ;;`;
  })
  .join('\n')}
  esac
  if [[ $agents == yes && $PREFIX != -* ]]; then entries+=(\${(f)"$(quarterdeck complete-agents 2>/dev/null)"}); fi
  _describe 'quarterdeck' entries || _files
}
if [ "$funcstack[1]" = "_quarterdeck" ]; then _quarterdeck "$@"; else compdef _quarterdeck quarterdeck qd; fi
`;
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function fish(root: Node): string {
  const nodes = all(root);
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => fishText(path));
  const lines = nodes.flatMap((node) => {
    const when = `-n "test (__quarterdeck_path) = '${node.path}'"`;
    return ['quarterdeck', 'qd'].flatMap((name) => [
      ...node.commands.map(
        ({ path, summary }) => `complete -c ${name} ${when} -f -a ${path.split(' ').at(-1) ?? ''} -d ${fishText(summary)}`,
      ),
      ...node.options.map(
        (option) => `complete -c ${name} ${when} -l ${option.name.slice(2)} -d ${fishText(option.description)}`,
      ),
      ...(node.takesAgents ? [`complete -c ${name} ${when} -f -a "(quarterdeck complete-agents 2>/dev/null)" -d agent`] : []),
    ]);
  });
  return `# fish completion for quarterdeck and qd
function __quarterdeck_path
  set -l path
  for word in (commandline -opc)[2..]
    set -l next (string join ' ' $path $word)
    contains -- $next ${paths.join(' ')}; and set path $path $word
  end
  echo "$path"
end
${lines.join('\n')}
`;
}

/** The script for one shell. */
export function completionScript(shell: Shell, program: Command): string {
  const root = nodeOf(program, '');
  switch (shell) {
    case 'bash':
      return bash(root);
    case 'zsh':
      return zsh(root);
    case 'fish':
      return fish(root);
  }
}
