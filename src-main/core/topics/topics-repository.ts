/** SQL of topics and subscriptions. Functions that change rows take a Tx. */
import * as z from 'zod';
import type { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import type { Subscription, Topic } from '#shared/topics/model.ts';
import type { Db } from '#core/store/database.ts';
import type { Tx } from '#core/store/store.ts';
import { TopicMatcher } from './topic-matcher.ts';

/** Whose subscriptions. */
export interface Owner {
  readonly projectId: ProjectId;
  /** An agent's id, or "operator". */
  readonly subscriber: string;
}

/** Characters of a message's body that a list of topics shows. */
const EXCERPT_CHARS = 200;
/** A page looks at no more topics than this; where it ended it says so. */
const MAX_SCANNED = 5_000;
/** How many are looked at at a time. */
const CHUNK = 500;

const SubscriptionRow = z
  .object({ project_id: z.string(), subscriber: z.string(), pattern: z.string(), subscribed_at: z.number() })
  .transform((row): Subscription => ({
    // Checked when the row was written.
    projectId: row.project_id as ProjectId,
    subscriber: row.subscriber,
    pattern: row.pattern,
    subscribedAt: row.subscribed_at,
  }));

/** Every subscription there is, by project, subscriber and pattern. */
export function allSubscriptions(db: Db): Subscription[] {
  return db
    .prepare('SELECT * FROM topic_subscriptions ORDER BY project_id, subscriber, pattern')
    .all()
    .map((row) => SubscriptionRow.parse(row));
}

/** The patterns of one subscriber, sorted. */
export function patternsOf(db: Db, { projectId, subscriber }: Owner): string[] {
  return db
    .prepare('SELECT pattern FROM topic_subscriptions WHERE project_id = ? AND subscriber = ? ORDER BY pattern')
    .all(projectId, subscriber)
    .map((row) => z.object({ pattern: z.string() }).parse(row).pattern);
}

/** Stores a subscription that is not there yet. */
export function insertSubscription(tx: Tx, { projectId, subscriber, pattern, subscribedAt }: Subscription): void {
  tx.prepare('INSERT INTO topic_subscriptions (project_id, subscriber, pattern, subscribed_at) VALUES (?, ?, ?, ?)').run(
    projectId,
    subscriber,
    pattern,
    subscribedAt,
  );
}

/** Removes a subscription. */
export function deleteSubscription(tx: Tx, { projectId, subscriber }: Owner, pattern: string): void {
  tx.prepare('DELETE FROM topic_subscriptions WHERE project_id = ? AND subscriber = ? AND pattern = ?').run(
    projectId,
    subscriber,
    pattern,
  );
}

const TopicRow = z.object({
  name: z.string(),
  messages: z.number(),
  first_at: z.number(),
  last_at: z.number(),
  last_id: z.string().nullable(),
  from_id: z.string().nullable(),
  kind: z.string().nullable(),
  subject: z.string().nullable(),
  excerpt: z.string().nullable(),
});

/** What of a page of topics the reader knows. */
export interface TopicPage {
  readonly topics: readonly Omit<Topic, 'subscribers'>[];
  readonly next: string | null;
}

/** A page of a project's topics, by name. */
export interface TopicPageArgs {
  readonly projectId: ProjectId;
  readonly after: string | undefined;
  readonly limit: number;
  /** A topic has to be matched by one pattern of each of these lists. */
  readonly filters: readonly (readonly string[])[];
}

function topicsPage(db: Db, { projectId, after, limit, filters }: TopicPageArgs): TopicPage {
  const matchers = filters.map((patterns) => {
    const matcher = new TopicMatcher();
    for (const pattern of patterns) matcher.add(pattern, '');
    return matcher;
  });
  const chunk = db.prepare(
    `SELECT t.name, t.messages, t.first_at, t.last_at,
            m.id AS last_id, m.from_id, m.kind, m.subject, substr(m.body, 1, ${EXCERPT_CHARS}) AS excerpt
     FROM topics t LEFT JOIN messages m ON m.seq = t.last_seq AND m.topic = t.name AND m.project_id = t.project_id
     WHERE t.project_id = ? AND t.name > ? ORDER BY t.name LIMIT ${CHUNK}`,
  );
  const topics: Omit<Topic, 'subscribers'>[] = [];
  let last = after ?? '';
  for (let scanned = 0; scanned < MAX_SCANNED; scanned += CHUNK) {
    const rows = chunk.all(projectId, last).map((row) => TopicRow.parse(row));
    for (const row of rows) {
      if (topics.length === limit) return { topics, next: last };
      last = row.name;
      if (matchers.every((matcher) => matcher.match(row.name).length > 0)) topics.push(topicOf(projectId, row));
    }
    if (rows.length < CHUNK) return { topics, next: null };
  }
  return { topics, next: last };
}

function topicOf(projectId: ProjectId, row: z.infer<typeof TopicRow>): Omit<Topic, 'subscribers'> {
  const { last_id: id, from_id: from, kind, subject, excerpt } = row;
  const isKept = id !== null && from !== null && kind !== null && excerpt !== null;
  return {
    projectId,
    name: row.name,
    messages: row.messages,
    firstAt: row.first_at,
    lastAt: row.last_at,
    // The id was minted and checked when the row was written.
    last: isKept ? { id: id as MessageId, from, kind, subject, excerpt } : null,
  };
}

/** Queries of the reader. */
export const topicReads = { 'topics.page': topicsPage };
