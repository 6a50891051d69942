/** The crew of 40: who they are, and what each is there for. */

/** One agent of the crew. */
export interface CrewMember {
  readonly id: string;
  readonly description: string;
  readonly capabilities?: readonly string[];
  /** A job of ./work-log.sh; without one it is a worker. */
  readonly job?: string;
  /** It asks the operator this, and waits. */
  readonly asks?: { readonly body: string; readonly options?: readonly string[] };
  /** A worker gets this job, under this subject. */
  readonly task?: unknown;
  readonly subject?: string;
  /** How it stands in the end; put-away: stopped by the operator. Running when left out. */
  readonly becomes?: 'created' | 'failed' | 'stopped' | 'paused' | 'put-away';
}

/** A job for a worker that takes as long as anybody looks. */
const WATCHES = { op: 'run', command: 'git status --short; sleep 100000' };
const asks = (to: string): unknown => ({ op: 'ask', to, task: WATCHES, timeoutMs: 3_600_000 });

const log = (id: string, job: string, description: string, more: Partial<CrewMember> = {}): CrewMember => ({
  id,
  job,
  description,
  ...more,
});
const worker = (id: string, description: string, more: Partial<CrewMember> = {}): CrewMember => ({
  id,
  description,
  capabilities: ['file-processing'],
  ...more,
});

/** Those who talk to one another. */
export const SPOKEN_FOR: readonly string[] = ['ada', 'ben', 'cleo', 'dora'];

/** The crew. */
export const CREW: readonly CrewMember[] = [
  log('ada', 'lines', 'Counts the lines of every file', { capabilities: ['review'] }),
  log('ben', 'todos', 'Collects what is still to be done', { capabilities: ['review', 'planning'] }),
  log('cleo', 'links', 'Follows every link of the documentation', { capabilities: ['docs'] }),
  log('dora', 'history', 'Reads what was changed, and when', { capabilities: ['docs'] }),
  log('emil', 'exports', 'Looks for exports that nobody uses', { capabilities: ['review'] }),
  log('fay', 'names', 'Checks the names of files', { capabilities: ['review'] }),
  log('gus', 'sums', 'Takes the checksum of every source', { capabilities: ['release'] }),
  log('hana', 'syntax', 'Checks the syntax of the tests', { capabilities: ['testing'] }),
  log('ivo', 'migrate', 'Brings the database to its newest form', { capabilities: ['database'], becomes: 'failed' }),
  log('jun', 'migrate', 'Tries the migration on a copy', { capabilities: ['database'], becomes: 'failed' }),
  {
    id: 'kit',
    description: 'Writes the page about fees',
    capabilities: ['docs'],
    asks: {
      body: 'Two pages speak of fees: `docs/fees.md` and the end of `docs/berths.md`. Which one shall stay?',
      options: ['docs/fees.md', 'docs/berths.md'],
    },
  },
  {
    id: 'lea',
    description: 'Prepares the release',
    capabilities: ['release'],
    asks: { body: 'The changelog has no entry for the outbox. What shall it say?' },
  },
  log('max', 'tidy', 'Takes blanks off the ends of lines', { capabilities: ['review'], becomes: 'stopped' }),
  log('nia', 'tidy', 'Takes blanks off the ends of lines, in the tests', { capabilities: ['testing'], becomes: 'stopped' }),
  log('oskar', 'lines', 'Counts again after each merge', { becomes: 'put-away' }),
  log('pia', 'todos', 'Asks for the oldest TODO', { becomes: 'paused' }),
  log('quentin', 'links', 'Follows links into other repositories', { becomes: 'put-away' }),
  log('rosa', 'sums', 'Compares checksums with the last release', { capabilities: ['release'], becomes: 'paused' }),
  log('sam', 'exports', 'Looks at exports of the tests', { capabilities: ['testing'] }),
  log('tess', 'history', 'Writes the list of changes', { capabilities: ['release'] }),
  log('uma', 'names', 'Looks for names that differ by case only', { becomes: 'created' }),
  log('vic', 'syntax', 'Checks the syntax before each commit', { capabilities: ['testing'] }),
  log('wim', 'lines', 'Watches how large the sources grow'),
  log('xena', 'todos', 'Sorts what is to be done by age', { capabilities: ['planning'] }),
  log('yuri', 'sums', 'Keeps a list of checksums', { becomes: 'created' }),
  log('zoe', 'exports', 'Draws who uses what'),
  worker('batch-1', 'Does the first half of what comes in', {
    task: WATCHES,
    subject: 'Watch the tree while the release is cut',
  }),
  worker('batch-2', 'Does the second half of what comes in', { task: WATCHES, subject: 'Keep the checks warm' }),
  worker('batch-3', 'Stands by'),
  worker('batch-4', 'Stands by'),
  worker('merge-1', 'Puts shares together', { task: asks('batch-1'), subject: 'Merge what batch-1 finds' }),
  worker('merge-2', 'Puts shares together', { task: asks('batch-2'), subject: 'Merge what batch-2 finds' }),
  worker('surveyor', 'Takes stock of folders', { capabilities: ['inventory', 'reporting'] }),
  worker('copyist', 'Copies and moves files', { becomes: 'put-away' }),
  worker('checker', 'Compares tables', { becomes: 'paused' }),
  worker('night-1', 'Works at night', { becomes: 'created' }),
  worker('night-2', 'Works at night', { becomes: 'created' }),
  log('docs-links', 'links', 'Follows links before a page is published', { capabilities: ['docs'] }),
  log('docs-names', 'names', 'Checks the names of pages', { capabilities: ['docs'] }),
  log('release-notes', 'history', 'Collects notes for the next release', { capabilities: ['docs', 'release'] }),
];
