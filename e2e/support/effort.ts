/**
 * How hard the tests try: every number of rounds, runs and sizes that differs between `npm test` and `npm run test:deep`
 * stands here and nowhere else, so that the time a whole run takes can be read and kept in one place.
 * `npm test` stays under 12 minutes on two cores, `npm run test:deep` under 30.
 *
 * A deep loop is time-boxed: it ends at its budget, says how many rounds it did, and fails below its stated minimum, so
 * that a slow machine does fewer rounds and never overruns.
 */

/** Whether this is `npm run test:deep` (environment QD_DEEP=1). */
export const isDeep = process.env['QD_DEEP'] === '1';

/** What one test run spends. Durations are milliseconds. */
export interface Effort {
  /** Rounds that kill a whole core (SIGKILL) and start it again; some seconds each. */
  readonly killRounds: number;
  /** The least number of `killRounds` that must have been done within `killBudgetMs`. */
  readonly leastKillRounds: number;
  /** The same for rounds with agents in containers, which are made for each of them. */
  readonly leastContainerKillRounds: number;
  /** What the rounds that kill a whole core may take together, in ms; no further one begins after it. */
  readonly killBudgetMs: number;
  /** The same for those with agents in containers. */
  readonly containerKillBudgetMs: number;
  /** Rounds that kill only a child holding the store or the router, at random moments; at most a second each. */
  readonly childKillRounds: number;
  /** Rounds that kill a child in which fifty agents send and acknowledge; a third of a second each. */
  readonly crashRounds: number;
  /** The least number of `crashRounds` that must have been done within `crashBudgetMs`. */
  readonly leastCrashRounds: number;
  /** What those may take together, in ms; no further one begins after it. Generous: all of them are meant to happen. */
  readonly crashBudgetMs: number;
  /** How often the MCP conformance suite is run for each revision: what it once showed was a client that hung now and then. */
  readonly conformanceRounds: number;
  /** Runs of one fast-check property (`numRuns`). */
  readonly propertyRuns: number;
  /** Commands in one model-based fast-check run (`maxCommands`). */
  readonly propertyCommands: number;
  /** Messages in a test of delivery under load. */
  readonly messages: number;
  /** Agents that are started in the same moment in one runtime. */
  readonly fleet: number;
  /** Files in a generated tree for the workers' pipelines. */
  readonly treeFiles: number;
  /** Bytes of output a flooded terminal gets. */
  readonly floodBytes: number;
  /** What a time-boxed loop may take, in ms: it ends at the first round past it. */
  readonly roundsBudgetMs: number;
  /** The least number of rounds a time-boxed loop must have done to count. */
  readonly leastRounds: number;
  /** What a test with a time-boxed loop gives vitest or Playwright as its own limit, in ms: the budget, and room to end. */
  readonly roundsTimeoutMs: number;
}

const SMALL: Effort = {
  killRounds: 3,
  leastKillRounds: 3,
  leastContainerKillRounds: 3,
  killBudgetMs: 60_000,
  containerKillBudgetMs: 60_000,
  childKillRounds: 5,
  crashRounds: 30,
  leastCrashRounds: 15,
  crashBudgetMs: 180_000,
  conformanceRounds: 1,
  propertyRuns: 30,
  propertyCommands: 30,
  messages: 200,
  fleet: 20,
  treeFiles: 60,
  floodBytes: 4 * 1024 * 1024,
  roundsBudgetMs: 30_000,
  leastRounds: 2,
  roundsTimeoutMs: 90_000,
};

const DEEP: Effort = {
  killRounds: 20,
  leastKillRounds: 12,
  leastContainerKillRounds: 12,
  killBudgetMs: 240_000,
  containerKillBudgetMs: 300_000,
  childKillRounds: 60,
  crashRounds: 300,
  leastCrashRounds: 200,
  crashBudgetMs: 360_000,
  conformanceRounds: 4,
  propertyRuns: 300,
  propertyCommands: 100,
  messages: 5_000,
  fleet: 50,
  treeFiles: 1_500,
  floodBytes: 64 * 1024 * 1024,
  roundsBudgetMs: 120_000,
  leastRounds: 6,
  roundsTimeoutMs: 240_000,
};

/** The numbers of this run. */
export const effort: Effort = isDeep ? DEEP : SMALL;

/** What a property test with vitest's own limit of 20 s may take, in ms. */
const PROPERTY_BUDGET_MS = 12_000;

/**
 * The predicate of an asynchronous property, which does nothing any more once its time is over: runs that are left then count
 * as passed, and none is abandoned half way, as fast-check's own limit does, to go on beside what follows. How many runs must
 * have been real is for the test to say.
 */
export function withinTime<A extends readonly unknown[]>(
  predicate: (...args: A) => Promise<boolean | void>,
  budgetMs: number = PROPERTY_BUDGET_MS,
): (...args: A) => Promise<boolean | void> {
  let end: number | undefined;
  return async (...args) => {
    end ??= performance.now() + budgetMs;
    return performance.now() < end ? predicate(...args) : undefined;
  };
}
