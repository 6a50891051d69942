/** How a question to the operator is shown on a card: short answers as buttons, code in its face. Pure. */
import { optionsOf } from '#shared/messages/question.ts';

/** More, or longer ones, do not fit beside each other on a card: such a question is answered in words. Characters. */
const MOST_ANSWERS = 4;
const LONGEST_ANSWER = 32;

/** The answers that a message's data offers, when all of them are short; else none. */
export function answersOf(data: unknown): readonly string[] {
  const options = optionsOf(data);
  return options.length <= MOST_ANSWERS && options.every(({ length }) => length <= LONGEST_ANSWER) ? options : [];
}

/** A part of a text: as it is, or set in the code face. */
export interface TextPart {
  readonly text: string;
  readonly isCode: boolean;
}

/** A text with what stands between backticks told apart. A backtick without its fellow is a backtick. */
export function partsOf(text: string): TextPart[] {
  return text
    .split(/`([^`\n]+)`/)
    .map((part, index) => ({ text: part, isCode: index % 2 === 1 }))
    .filter(({ text: part }) => part !== '');
}
