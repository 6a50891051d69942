/** Dead letters: what was taken back or imported is none. */
import type { Migration } from '#core/store/migrate.ts';

/** Counts anew how many messages of each project have a dead letter. */
export const deadLetters: Migration = {
  version: 110,
  name: 'dead-letters',
  sql: `
    UPDATE message_counts SET dead = (
      SELECT count(DISTINCT d.message_seq) FROM deliveries d
      WHERE d.project_id = message_counts.project_id AND d.dead_at IS NOT NULL AND d.dead_reason NOT IN ('cancelled', 'imported')
    );
  `,
};
