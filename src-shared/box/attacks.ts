/** What a throw-away twin of a box tries to use up. */
import * as z from 'zod';

/** One attack; the box guest makes it when it is started with `--attack <name>`. */
export const Attack = z.enum(['memory', 'processes', 'cpu', 'disk', 'log']);
/** One attack. */
export type Attack = z.infer<typeof Attack>;
