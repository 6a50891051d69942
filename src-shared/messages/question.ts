/**
 * What a question to the operator may offer: a request's `data` with `{"options": ["Keep", "Drop"]}`. An option that is
 * chosen is the body of the reply. Everything else in the data is the asker's own.
 */
import * as z from 'zod';

/** The most answers that are offered: more are no choice at a glance. */
export const MAX_OPTIONS = 6;
/** Longest answer, in characters: it has to fit a button. */
export const MAX_OPTION_CHARS = 80;

const Option = z
  .string()
  .trim()
  .min(1)
  .max(MAX_OPTION_CHARS)
  .refine((text) => !/[\n\r]/.test(text));
const Offer = z.object({
  options: z
    .array(Option)
    .min(1)
    .max(MAX_OPTIONS)
    .refine((options) => new Set(options).size === options.length),
});

/** The answers that a message's data offers, in its order; none when it offers none, or not as it should. */
export function optionsOf(data: unknown): readonly string[] {
  const offer = Offer.safeParse(data);
  return offer.success ? offer.data.options : [];
}
