/** Asks a question on the terminal without showing the answer. */
import { CliError } from '../cli-error.ts';
import type { CliIo } from '../io.ts';

const ENTER = ['\r', '\n'];
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACE = ['\u007f', '\b'];

/** Reads one line from the terminal without echo. INTERRUPTED on Ctrl-C. */
export function askHidden(io: CliIo, question: string): Promise<string> {
  const { stdin, stderr } = io;
  stderr.write(question);
  stdin.setRawMode?.(true);
  stdin.setEncoding('utf8');
  let answer: string[] = [];
  return new Promise((resolve, reject) => {
    const end = (act: () => void): void => {
      stdin.off('data', onData);
      stdin.setRawMode?.(false);
      stdin.pause();
      stderr.write('\n');
      act();
    };
    const onData = (text: string): void => {
      for (const character of text) {
        if (character === CTRL_C) return end(() => reject(new CliError('INTERRUPTED', 'Interrupted.')));
        if (ENTER.includes(character) || character === CTRL_D) return end(() => resolve(answer.join('')));
        if (BACKSPACE.includes(character)) answer = answer.slice(0, -1);
        else answer.push(character);
      }
    };
    stdin.on('data', onData);
    stdin.resume();
  });
}
