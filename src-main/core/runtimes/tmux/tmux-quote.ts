/** Texts for tmux: quoted words of its command language, and names of sessions. */
import { AgentId } from '#shared/kernel/ids.ts';

/** Bytes that stand for themselves inside tmux's double quotes. */
const PLAIN = /^[A-Za-z0-9_./:,@+=-]$/;

/**
 * A word of tmux's command language with exactly this value. Everything but a few safe characters becomes a three-digit octal
 * escape of its UTF-8 bytes, so that quotes, `$`, `~`, `;`, braces, `#` and line breaks mean nothing to tmux's parser.
 * NUL cannot be in an argument of a process and must have been refused before.
 */
export function quoteWord(text: string): string {
  let quoted = '"';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    quoted += PLAIN.test(char) ? char : `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `${quoted}"`;
}

/** A whole command: its words quoted. */
export function quoteCommand(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/** A text for a place where tmux expands formats (`-c` of new-session): there `#` starts one, `##` is a plain `#`. */
export function escapeFormat(text: string): string {
  return text.replaceAll('#', '##');
}

/** A word for a POSIX shell, for commands that a person copies. */
export function quoteShell(text: string): string {
  return /^[A-Za-z0-9_./:@%,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The tmux session of an agent: its id, with `+` for `.`, which tmux does not allow in names. An id has no `+`, so no two collide. */
export function sessionNameOf(agentId: AgentId): string {
  return agentId.replaceAll('.', '+');
}

/** The agent id of a session's name, or undefined if the name is none of `sessionNameOf`. */
export function agentIdOf(sessionName: string): AgentId | undefined {
  const parsed = AgentId.safeParse(sessionName.replaceAll('+', '.'));
  return parsed.success ? parsed.data : undefined;
}
