/** The declarative steps of a worker's `transform` task: rows in, rows out, and nothing that is evaluated as code. */
import * as z from 'zod';
import { Json } from '#shared/kernel/json.ts';

/** A place in a row: names joined by dots, "" for the row itself. */
export const FieldPath = z.string().max(200).describe('A field of the row, dots lead inwards: "author.name"');

/** Forms that rows are written in. */
export const OutputFormat = z
  .enum(['json', 'jsonl', 'csv'])
  .describe('json: an array. jsonl: one JSON value per line. csv: RFC 4180 with a header line');
/** Forms that rows are written in. */
export type OutputFormat = z.infer<typeof OutputFormat>;

/** Forms that rows are read from. */
export const InputFormat = z
  .enum(['json', 'jsonl', 'csv', 'lines'])
  .describe('lines: each line becomes {line: number, text: string}');
/** Forms that rows are read from. */
export type InputFormat = z.infer<typeof InputFormat>;

/** Comparisons with a value. All that are stated must hold. */
export const comparisons = {
  equals: Json.optional(),
  notEquals: Json.optional(),
  in: z.array(Json).optional(),
  above: z.union([z.number(), z.string()]).optional().describe('Greater than; numbers with numbers, texts with texts'),
  atLeast: z.union([z.number(), z.string()]).optional(),
  below: z.union([z.number(), z.string()]).optional(),
  atMost: z.union([z.number(), z.string()]).optional(),
  contains: Json.optional().describe('A text contains this text, or a list this value'),
  startsWith: z.string().optional(),
  endsWith: z.string().optional(),
  exists: z.boolean().optional().describe('true: is there and not null'),
};

/** Comparisons with a value. */
export const Comparison = z.strictObject(comparisons);
/** Comparisons with a value. */
export type Comparison = z.infer<typeof Comparison>;

/** A condition on a row. */
export type Predicate = ({ field: string } & Comparison) | { all: Predicate[] } | { any: Predicate[] } | { not: Predicate };
/** A condition on a row. */
export const Predicate: z.ZodType<Predicate> = z.lazy(() =>
  z.union([
    z.strictObject({ field: FieldPath, ...comparisons }),
    z.strictObject({ all: z.array(Predicate) }),
    z.strictObject({ any: z.array(Predicate) }),
    z.strictObject({ not: Predicate }),
  ]),
);

/** A value made from a row. */
export type Expression =
  | { field: string }
  | { value: Json }
  | { concat: Expression[] }
  | { lower: Expression }
  | { upper: Expression }
  | { trim: Expression }
  | { number: Expression }
  | { text: Expression }
  | { length: Expression }
  | { add: Expression[] }
  | { subtract: [Expression, Expression] }
  | { multiply: Expression[] }
  | { divide: [Expression, Expression] };
/** A value made from a row. */
export const Expression: z.ZodType<Expression> = z.lazy(() =>
  z.union([
    z.strictObject({ field: FieldPath }),
    z.strictObject({ value: Json }),
    z.strictObject({ concat: z.array(Expression) }),
    z.strictObject({ lower: Expression }),
    z.strictObject({ upper: Expression }),
    z.strictObject({ trim: Expression }),
    z.strictObject({ number: Expression }),
    z.strictObject({ text: Expression }),
    z.strictObject({ length: Expression }),
    z.strictObject({ add: z.array(Expression) }),
    z.strictObject({ subtract: z.tuple([Expression, Expression]) }),
    z.strictObject({ multiply: z.array(Expression) }),
    z.strictObject({ divide: z.tuple([Expression, Expression]) }),
  ]),
);

/** One number or value over many rows. */
export const Aggregate = z.union([
  z.strictObject({ count: z.literal(true) }),
  z.strictObject({ sum: FieldPath }),
  z.strictObject({ mean: FieldPath }),
  z.strictObject({ min: FieldPath }),
  z.strictObject({ max: FieldPath }),
  z.strictObject({ first: FieldPath }),
  z.strictObject({ last: FieldPath }),
  z.strictObject({ collect: FieldPath }),
]);
/** One number or value over many rows. */
export type Aggregate = z.infer<typeof Aggregate>;

const Aggregates = z.record(z.string().min(1).max(100), Aggregate);

/** One step over all rows. */
export const TransformStep = z.union([
  z.strictObject({ filter: Predicate }).describe('Keeps the rows for which the condition holds'),
  z.strictObject({ map: z.record(z.string().min(1).max(100), Expression) }).describe('Sets fields, keeping the others'),
  z
    .strictObject({ select: z.union([z.array(FieldPath).min(1), z.record(z.string().min(1).max(100), FieldPath)]) })
    .describe('Keeps these fields only; as an object: new name to field'),
  z
    .strictObject({
      sort: z.array(z.strictObject({ field: FieldPath, order: z.enum(['ascending', 'descending']).default('ascending') })).min(1),
    })
    .describe('Sorts; rows that compare equal keep their order. Missing values come first'),
  z
    .strictObject({ unique: z.array(FieldPath) })
    .describe('Keeps the first row of each combination of these fields; [] compares whole rows'),
  z
    .strictObject({ group: z.strictObject({ by: z.array(FieldPath).min(1), aggregate: Aggregates }) })
    .describe('One row per combination of the fields, in order of first sight'),
  z.strictObject({ aggregate: Aggregates }).describe('One row over all rows'),
  z.strictObject({ flatten: FieldPath }).describe('One row per element of the list in this field'),
  z.strictObject({ skip: z.number().int().min(0) }),
  z.strictObject({ limit: z.number().int().min(0) }),
]);
/** One step over all rows. */
export type TransformStep = z.infer<typeof TransformStep>;
