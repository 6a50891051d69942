/** For tests: what stands in the files of a mirror. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Message } from '#shared/messages/model.ts';
import { EndLine, MessageLine, SessionLine } from '#shared/sessions/mirror-lines.ts';

/** What stands in a session's folder. */
export interface MirrorContent {
  readonly files: readonly string[];
  readonly headers: readonly SessionLine[];
  readonly messages: readonly Message[];
  readonly ends: readonly EndLine[];
}

/** Reads a session's folder, every line strictly. */
export function readMirror(folder: string): MirrorContent {
  const names = readdirSync(folder).sort();
  // "messages.0001.jsonl" sorts before "messages.jsonl": the order in which they were written.
  const headers: SessionLine[] = [];
  const messages: Message[] = [];
  const ends: EndLine[] = [];
  for (const name of names) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (text !== '' && !text.endsWith('\n')) throw new Error(`${name} ends in the middle of a line`);
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const value = JSON.parse(line) as { type: string };
      if (value.type === 'session') headers.push(SessionLine.parse(value));
      else if (value.type === 'message') messages.push(MessageLine.parse(value).message);
      else ends.push(EndLine.parse(value));
    }
  }
  return { files: names, headers, messages, ends };
}

/** The only folder in a folder of sessions. */
export function onlySession(sessionsDir: string): string {
  const [name, ...others] = readdirSync(sessionsDir);
  if (name === undefined || others.length > 0)
    throw new Error(`there are ${others.length + (name === undefined ? 0 : 1)} sessions`);
  return join(sessionsDir, name);
}
