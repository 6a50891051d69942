/** Which short answers a question offers in its data, so that one press answers it. Pure. */
import * as z from 'zod';
import type { Json } from '#shared/kernel/json.ts';

/** More, or longer ones, do not fit beside each other: such a question is answered in words. Characters. */
const MOST_ANSWERS = 4;
const LONGEST_ANSWER = 32;

const Answer = z.union([
  z.string(),
  z.object({ label: z.string() }).transform(({ label }) => label),
  z.object({ text: z.string() }).transform(({ text }) => text),
  z.object({ value: z.string() }).transform(({ value }) => value),
]);
const Answers = z.array(Answer).min(1).max(MOST_ANSWERS);
const Offer = z.union([
  z.object({ options: Answers }).transform(({ options }) => options),
  z.object({ answers: Answers }).transform(({ answers }) => answers),
  z.object({ choices: Answers }).transform(({ choices }) => choices),
]);

/** The answers that a message's data offers (`options`, `answers` or `choices`); none when they are not short or not distinct. */
export function answersOf(data: Json | null): readonly string[] {
  const offer = Offer.safeParse(data);
  if (!offer.success) return [];
  const answers = offer.data.map((answer) => answer.trim());
  const areShort = answers.every((answer) => answer !== '' && answer.length <= LONGEST_ANSWER && !/[\n\r]/.test(answer));
  return areShort && new Set(answers).size === answers.length ? answers : [];
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
