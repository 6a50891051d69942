/** What the journal says about topics: who subscribed to what. What is published is a message, and `message.sent` tells of it. */
import * as z from 'zod';

const changed = z.object({
  /** Patterns that this added or took away. */
  patterns: z.array(z.string()),
});

/** Data of each journal event about topics, by kind. The subject is the subscriber: an agent's id, or "operator". */
export const topicEvents = {
  'topic.subscribed': changed,
  'topic.unsubscribed': changed,
};
