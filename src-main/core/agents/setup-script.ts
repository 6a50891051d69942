/** The script that sets a workspace up: run once for each text of it and each workspace, in the agent's own terminal. */
import { createHash } from 'node:crypto';
import { quoteShell } from '#core/runtimes/tmux/tmux-quote.ts';

/**
 * The script as it is run: nothing when `marker`, a file that the agent can write, says that this very script has run in this
 * workspace. Exits with the script's own code when it fails.
 */
export function setupOnce(script: string, marker: string, workspace: string): string {
  const mark = createHash('sha256').update(`${workspace}\0${script}`).digest('hex').slice(0, 32);
  const file = quoteShell(marker);
  return [
    `if [ "$(cat ${file} 2>/dev/null)" != ${mark} ]; then`,
    `  printf '%s\\n' 'Setting up the workspace.'`,
    `  ( ${quoteShellScript(script)} ) || { code=$?; printf '%s\\n' "The set-up script failed with code $code."; exit "$code"; }`,
    `  printf '%s' ${mark} > ${file}`,
    'fi',
  ].join('\n');
}

/** Runs a script as a shell of its own, so that its `exit` and its options are its own. */
function quoteShellScript(script: string): string {
  return `exec /bin/sh -euc ${quoteShell(script)}`;
}

/** A program on the host that sets up first and becomes the agent then. */
export function withSetup(argv: readonly string[], setup: string): string[] {
  return ['/bin/sh', '-c', `${setup}\nexec "$@"`, 'quarterdeck-setup', ...argv];
}
