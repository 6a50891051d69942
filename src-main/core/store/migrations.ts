/** Every step of the schema, in order. Only composes. */
import type { Migration } from './migrate.ts';
import { spine } from './migrations/0010-spine.ts';
import { boundary } from './migrations/0020-boundary.ts';
import { egress } from './migrations/0030-egress.ts';
import { workspaces } from './migrations/0040-workspaces.ts';
import { topics } from './migrations/0050-topics.ts';
import { provenance } from './migrations/0060-provenance.ts';
import { middleware } from './migrations/0070-middleware.ts';
import { enrolments } from './migrations/0080-enrolments.ts';
import { mirror } from './migrations/0090-mirror.ts';
import { attachments } from './migrations/0100-attachments.ts';

/** Every step of the schema, in order. */
export const MIGRATIONS: readonly Migration[] = [
  spine,
  boundary,
  egress,
  workspaces,
  topics,
  provenance,
  middleware,
  enrolments,
  mirror,
  attachments,
];
