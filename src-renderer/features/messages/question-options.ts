import * as z from 'zod';
import type { Json } from '#shared/kernel/json.ts';

/** More answers than this do not fit into a row; the question is then answered in words. */
const MOST = 6;

const Text = z.string().trim().min(1).max(60);
const Option = z.union([
  Text,
  z.object({ label: Text }).transform(({ label }) => label),
  z.object({ text: Text }).transform(({ text }) => text),
  z.object({ value: Text }).transform(({ value }) => value),
]);
const Options = z.array(Option).min(1).max(MOST);
const Offer = z.union([
  z.object({ options: Options }).transform(({ options }) => options),
  z.object({ answers: Options }).transform(({ answers }) => answers),
  z.object({ choices: Options }).transform(({ choices }) => choices),
]);

/** The answers that a question offers in its data, as `{"options": ["Keep", "Drop"]}`; none when it offers none. */
export function optionsOf(data: Json | null): readonly string[] {
  const parsed = Offer.safeParse(data);
  return parsed.success ? [...new Set(parsed.data)] : [];
}
