/** Any number of viewers doing anything, against a simple model of who has control and of what everybody sees. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { Caller } from '#core/caller.ts';
import { agentId } from '#core/runtimes/testing/support.ts';
import type { ClientView, TerminalClient } from './testing/terminal-client.ts';
import { until } from './testing/terminal-client.ts';
import { AT_CLI, OPERATOR, ROBOT, TerminalsFixture } from './testing/terminals-fixture.ts';

/** Callers of the links, which come back as themselves. */
const CALLERS: readonly Caller[] = [OPERATOR, AT_CLI, ROBOT];
const NAMES = ['operator web', 'operator cli', 'token tok_robot web'];

interface Member {
  readonly view: ClientView;
  readonly link: number;
}

/** Who has control: a view, or the caller of a link that was lost. */
type Holder = { readonly member: Member | undefined; readonly link: number } | undefined;

let fixture: TerminalsFixture;
let runs = 0;

beforeEach(() => {
  // Nobody loses control by time alone in here.
  fixture = new TerminalsFixture({ graceMs: 600_000 });
});

afterEach(async () => {
  await fixture.dispose();
});

/** One history: real links and views, and what they should show. */
class Session {
  readonly #name: string;
  readonly #links: (TerminalClient | undefined)[] = [];
  readonly #members: Member[] = [];
  #holder: Holder;
  #typed = 0;

  constructor(name: string) {
    this.#name = name;
  }

  async open(link: number, isTaking: boolean): Promise<void> {
    const client = (this.#links[link] ??= await fixture.connect(link === 1 ? 'websocket' : 'port', CALLERS[link]));
    const view = client.view({ agentId: this.#name, control: isTaking ? 'take' : 'watch', cols: 60 + 5 * link, rows: 20 + link });
    const member = { view, link };
    this.#members.push(member);
    if (isTaking && this.#canTake(member)) this.#holder = { member, link };
    await until('it stands', () => view.opened);
    await this.settles();
  }

  async take(pick: number, isForced: boolean): Promise<void> {
    const member = this.#pick(pick);
    if (!member) return;
    const isAllowed = isForced || this.#canTake(member);
    const refusals = member.view.failures.length;
    this.#links[member.link]?.take(member.view, isForced);
    if (isAllowed) this.#holder = { member, link: member.link };
    else await until('the refusal', () => member.view.failures.length > refusals);
    await this.settles();
  }

  async release(pick: number): Promise<void> {
    const member = this.#pick(pick);
    if (!member) return;
    this.#links[member.link]?.release(member.view);
    if (this.#holder?.member === member) this.#holder = undefined;
    await this.settles();
  }

  async type(pick: number): Promise<void> {
    const member = this.#pick(pick);
    if (!member) return;
    this.#typed += 1;
    const text = `typed-${this.#typed}.`;
    const refusals = member.view.failures.length;
    this.#links[member.link]?.type(member.view, `${text}\r`);
    if (this.#holder?.member === member)
      await until(`${text} on the screen`, async () => (await this.#screen()).join('\n').includes(text));
    else await until('the refusal', () => member.view.failures.length > refusals);
    expect(member.view.failures.at(-1)?.code ?? 'CONFLICT').toBe('CONFLICT');
  }

  stall(pick: number, isFrozen: boolean): void {
    const member = this.#pick(pick);
    if (!member) return;
    if (isFrozen) member.view.isFrozen = true;
    else member.view.thaw();
  }

  resize(pick: number, cols: number): void {
    const member = this.#pick(pick);
    if (member) this.#links[member.link]?.resize(member.view, cols, 22);
  }

  history(pick: number): void {
    const member = this.#pick(pick);
    if (member) this.#links[member.link]?.history(member.view, 1_000);
  }

  async close(pick: number): Promise<void> {
    const member = this.#pick(pick);
    if (!member) return;
    this.#links[member.link]?.closeView(member.view);
    this.#remove(member);
    if (this.#holder?.member === member) this.#holder = undefined;
    await this.settles();
  }

  /** The link is lost; the next view that opens on it makes another. */
  async lose(link: number): Promise<void> {
    const client = this.#links[link];
    if (!client) return;
    client.close();
    this.#links[link] = undefined;
    for (const member of this.#members.filter((one) => one.link === link)) this.#remove(member);
    if (this.#holder?.link === link) this.#holder = { member: undefined, link };
    await this.settles();
  }

  /** Everybody was told last who has control and how many look, and it is one at most. */
  async settles(): Promise<void> {
    const holder = this.#holder;
    const status = (): string => {
      const now = fixture.terminals.status(agentId(this.#name));
      return JSON.stringify(now);
    };
    await until(
      () => `all agree: ${JSON.stringify(this.#members.map(({ view }) => view.controls.at(-1)))} ${status()}`,
      async () => {
        const now = await fixture.terminals.status(agentId(this.#name));
        const name = now.holder ? `${now.holder.name} ${now.holder.door}` : undefined;
        if (name !== (holder && NAMES[holder.link]) || now.viewers !== this.#members.length) return false;
        return this.#members.every(({ view }) => {
          const told = view.controls.at(-1);
          if (!told || told.viewers !== this.#members.length) return false;
          if (!told.holder) return !holder;
          return told.holder.isYou === (holder?.member?.view === view) && `${told.holder.name} ${told.holder.door}` === name;
        });
      },
    );
    expect(this.#members.filter(({ view }) => view.control === 'you').length).toBeLessThanOrEqual(1);
  }

  /** When all is quiet nobody's screen is wrong. */
  async end(): Promise<void> {
    for (const { view } of this.#members) view.thaw();
    await this.settles();
    for (const { view } of this.#members) {
      await until(
        () => `the screen of ${this.#name}: ${JSON.stringify(view.lines())}`,
        async () => {
          const lines = await this.#screen();
          const shown = view.lines();
          return shown.length === lines.length && shown.every((line, y) => line.trimEnd() === lines[y]);
        },
      );
    }
    for (const link of this.#links) link?.close();
  }

  #canTake(member: Member): boolean {
    const holder = this.#holder;
    return !holder || holder.member === member || (holder.member === undefined && holder.link === member.link);
  }

  #pick(pick: number): Member | undefined {
    return this.#members.length === 0 ? undefined : this.#members[pick % this.#members.length];
  }

  #remove(member: Member): void {
    this.#members.splice(this.#members.indexOf(member), 1);
  }

  async #screen(): Promise<string[]> {
    const run = fixture.runs.get(agentId(this.#name));
    return ((await run?.capture({ historyLines: 0, ansi: false }))?.lines ?? []).map((line) => line.trimEnd());
  }
}

const pick = fc.nat(20);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(2), fc.boolean()).map(
      ([link, isTaking]) =>
        (s: Session) =>
          s.open(link, isTaking),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(pick, fc.boolean()).map(
      ([which, isForced]) =>
        (s: Session) =>
          s.take(which, isForced),
    ),
  },
  { weight: 1, arbitrary: pick.map((which) => (s: Session) => s.release(which)) },
  { weight: 3, arbitrary: pick.map((which) => (s: Session) => s.type(which)) },
  {
    weight: 2,
    arbitrary: fc.tuple(pick, fc.boolean()).map(
      ([which, isFrozen]) =>
        async (s: Session) =>
          s.stall(which, isFrozen),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(pick, fc.integer({ min: 50, max: 90 })).map(
      ([which, cols]) =>
        async (s: Session) =>
          s.resize(which, cols),
    ),
  },
  { weight: 1, arbitrary: pick.map((which) => async (s: Session) => s.history(which)) },
  { weight: 1, arbitrary: pick.map((which) => (s: Session) => s.close(which)) },
  { weight: 1, arbitrary: fc.nat(2).map((link) => (s: Session) => s.lose(link)) },
);

it(
  'at most one viewer has control, everybody knows who, and nobody sees what is not there',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: effort.propertyCommands }),
        withinTime(async (steps) => {
          runs += 1;
          const name = `shared-${runs}`;
          const run = await fixture.start(name, 'for i in $(seq 1 60); do echo "line $i"; done; cat');
          const session = new Session(name);
          for (const act of steps) await act(session);
          await session.end();
          await run.stop(0);
        }, effort.roundsBudgetMs),
      ),
      // Each run is an agent of its own: on a slow machine there are fewer of them.
      { numRuns: Math.ceil(effort.propertyRuns / 3) },
    );
    expect(runs).toBeGreaterThanOrEqual(effort.leastRounds);
  },
  effort.roundsTimeoutMs,
);
