/**
 * One start of an agent on a pseudoterminal in the core's own process.
 * Invariant: one reader drains the terminal as fast as the screen in memory takes it, and gives it to every viewer; no viewer
 * can slow the agent.
 */
import { SerializeAddon } from '@xterm/addon-serialize';
import type { IBufferLine } from '@xterm/headless';
import xterm from '@xterm/headless';
import type { ResourceLimits } from '#shared/agents/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { ProcessTree } from '../process-tree.ts';
import type { LaunchSpec, Run, RunEnd, RunStats, TerminalCapture, TerminalSize, TerminalStream, LimitsHeld } from '../runtime.ts';
import type { RunLimits } from '../limits/run-limits.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { StopSequence } from '../stop-sequence.ts';
import { clampSize, PtyProcess } from './pty-process.ts';

/** Lines above the screen that are kept (about 1.1 MB an agent). */
const SCROLLBACK_LINES = 1000;
/** Output that is not on the screen yet: above the first the terminal is not read, below the second it is again. */
const HIGH_BYTES = 512 * 1024;
const LOW_BYTES = 128 * 1024;

/** One start of an agent on a pseudoterminal. */
export class PtyRun implements Run {
  readonly kind = 'pty';
  readonly agentId: AgentId;
  readonly runId: string;
  pid: number;
  readonly startedAt: number;
  readonly ended: Promise<RunEnd>;
  /** Nobody else can look into the core's own pseudoterminal. */
  readonly attachCommand = undefined;
  readonly #pty: PtyProcess;
  readonly #screen: xterm.Terminal;
  readonly #serializer = new SerializeAddon();
  #tree: ProcessTree;
  #stop: StopSequence;
  readonly #streams = new Set<PtyStream>();
  readonly #hooks: { log: RuntimeLog; onGone: (run: PtyRun) => void };
  #end: RunEnd | undefined;
  #isDiscarded = false;
  #unparsedBytes = 0;
  #isHeld = false;
  #isStopOrdered = false;
  readonly #limits: RunLimits;

  constructor(spec: LaunchSpec, path: string, hooks: { log: RuntimeLog; onGone: (run: PtyRun) => void; limits: RunLimits }) {
    this.#limits = hooks.limits;
    this.agentId = spec.agentId;
    this.runId = spec.runId;
    this.#hooks = hooks;
    this.startedAt = Date.now();
    const size = clampSize(spec.size);
    this.#screen = new xterm.Terminal({ ...size, scrollback: SCROLLBACK_LINES, allowProposedApi: true });
    this.#screen.loadAddon(this.#serializer);
    const env = Object.fromEntries(Object.entries(spec.env).filter(([key]) => key !== 'TERM' && key !== 'PWD'));
    this.#pty = new PtyProcess({
      ...hooks.limits.command({ path, args: spec.argv.slice(1) }),
      cwd: spec.cwd,
      env,
      term: 'xterm-256color',
      size,
    });
    this.pid = this.#pty.pid;
    this.#tree = new ProcessTree({ pid: this.pid, runId: spec.runId });
    this.#pty.onData((chunk) => {
      for (const stream of this.#streams) stream.push(chunk);
      this.#draw(chunk);
    });
    // A program that asks its terminal something (cursor position, colours) needs one answer, whoever looks: it comes from
    // here, and viewers are not shown the question (core/terminals/sequence-splitter.ts).
    this.#screen.onData((answer) => this.#pty.write(Buffer.from(answer, 'utf8')));
    this.ended = this.#pty.ended.then(async (exit): Promise<RunEnd> => {
      this.#end = { kind: 'exited', exit };
      this.#end = await this.#limits.conclude(this.#end, this.#isStopOrdered);
      for (const stream of [...this.#streams]) stream.end();
      return this.#end;
    });
    this.#stop = new StopSequence({ tree: this.#tree, ended: this.ended, log: hooks.log });
    hooks.limits.watch({ members: (snapshot) => this.#tree.members(snapshot), end: () => this.#stop.stop(0) });
  }

  /** The agent's first process is another one than the terminal's: behind bubblewrap. Before anything else is asked of the run. */
  watch(pid: number): void {
    this.pid = pid;
    this.#tree = new ProcessTree({ pid, runId: this.runId });
    this.#stop = new StopSequence({ tree: this.#tree, ended: this.ended, log: this.#hooks.log });
  }

  /** Puts output on the screen. Beyond 50 MB not yet parsed, the screen would throw output away: the agent waits before that. */
  #draw(chunk: Uint8Array): void {
    this.#unparsedBytes += chunk.byteLength;
    if (this.#unparsedBytes > HIGH_BYTES && !this.#isHeld) {
      this.#isHeld = true;
      this.#pty.pauseReading();
    }
    this.#screen.write(chunk, () => {
      this.#unparsedBytes -= chunk.byteLength;
      if (this.#unparsedBytes > LOW_BYTES || !this.#isHeld) return;
      this.#isHeld = false;
      this.#pty.resumeReading();
    });
  }

  isPaused(): boolean {
    return this.#tree.isStopped();
  }

  async pause(): Promise<void> {
    if (this.#end === undefined) await this.#tree.pause();
  }

  async resume(): Promise<void> {
    await this.#tree.resume();
  }

  async stop(graceMs: number): Promise<RunEnd> {
    this.#isStopOrdered = true;
    const end = await this.#stop.stop(graceMs);
    await this.#limits.discard();
    return end;
  }

  get limits(): LimitsHeld {
    return this.#limits.held;
  }

  changeLimits(limits: ResourceLimits): Promise<LimitsHeld> {
    return this.#limits.change(limits);
  }

  stats(): Promise<RunStats | undefined> {
    return this.#tree.stats();
  }

  async attach(size: TerminalSize, window = 'main'): Promise<TerminalStream> {
    this.#checkWindow(window);
    if (this.#end !== undefined)
      throw new AppError('UNAVAILABLE', `Agent ${this.agentId} has ended: its terminal is closed`, { retryable: false });
    const stream = new PtyStream({
      write: (data) => this.#pty.write(data),
      resize: (next) => this.#resize(next),
      onDispose: () => this.#streams.delete(stream),
    });
    this.#streams.add(stream);
    this.#resize(size);
    // What came before this moment is in the screen that it starts with; later chunks wait in the stream.
    await this.#whenParsed(() => stream.start(Buffer.from(this.#serializer.serialize({ scrollback: 0 }), 'utf8')));
    return stream;
  }

  /** Calls back when everything received so far is on the screen and nothing later is yet (hence no bare promise). */
  #whenParsed(use: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#screen.write('', () => {
        use();
        resolve();
      });
    });
  }

  #resize(size: TerminalSize): void {
    if (this.#isDiscarded) return;
    const next = clampSize(size);
    if (next.cols === this.#screen.cols && next.rows === this.#screen.rows) return;
    this.#screen.resize(next.cols, next.rows);
    this.#pty.resize(next);
  }

  #checkWindow(window: string): void {
    if (window !== 'main')
      throw new AppError('NOT_FOUND', `Agent ${this.agentId} has no window "${window}"`, { data: { window } });
  }

  async capture(options: { historyLines: number; ansi: boolean; window?: string }): Promise<TerminalCapture> {
    this.#checkWindow(options.window ?? 'main');
    if (this.#isDiscarded)
      throw new AppError('UNAVAILABLE', `The terminal of agent ${this.agentId} was discarded`, { retryable: false });
    await this.#whenParsed(() => undefined);
    const buffer = this.#screen.buffer.active;
    const size = { cols: this.#screen.cols, rows: this.#screen.rows };
    const first = Math.max(0, buffer.baseY - Math.max(0, Math.trunc(options.historyLines)));
    const lines: string[] = [];
    for (let y = first; y < buffer.baseY + size.rows; y += 1) {
      const line = buffer.getLine(y);
      if (line === undefined) lines.push('');
      else lines.push(options.ansi ? ansiLine(line, size.cols) : line.translateToString(true));
    }
    return { lines, size, cursor: { x: Math.min(buffer.cursorX, size.cols - 1), y: buffer.cursorY } };
  }

  windows(): Promise<readonly string[]> {
    return Promise.resolve(['main']);
  }

  async discard(): Promise<void> {
    if (this.#end === undefined)
      throw new AppError('CONFLICT', `Agent ${this.agentId} still runs: stop it before discarding its terminal`);
    if (this.#isDiscarded) return;
    await this.#stop.sweep();
    await this.#limits.discard();
    this.#isDiscarded = true;
    for (const stream of [...this.#streams]) stream.dispose();
    this.#screen.dispose();
    this.#hooks.onGone(this);
  }

  /** Nothing to let go of: the agent cannot outlive the core. */
  release(): void {
    for (const stream of [...this.#streams]) stream.dispose();
  }
}

/** The colour and style of a cell as the parameters of an SGR sequence (ECMA-48 8.3.117), without the leading reset. */
function styleOf(line: IBufferLine, x: number): string {
  const cell = line.getCell(x);
  if (cell === undefined) return '';
  const codes: (number | string)[] = [];
  const flags: readonly (readonly [number, number])[] = [
    [cell.isBold(), 1],
    [cell.isDim(), 2],
    [cell.isItalic(), 3],
    [cell.isUnderline(), 4],
    [cell.isBlink(), 5],
    [cell.isInverse(), 7],
    [cell.isInvisible(), 8],
    [cell.isStrikethrough(), 9],
    [cell.isOverline(), 53],
  ];
  for (const [isSet, code] of flags) if (isSet !== 0) codes.push(code);
  const colour = (base: 30 | 40, value: number, isRgb: boolean, isPalette: boolean): void => {
    if (isRgb) codes.push(`${base + 8};2;${(value >> 16) & 255};${(value >> 8) & 255};${value & 255}`);
    else if (isPalette && value < 8) codes.push(base + value);
    else if (isPalette && value < 16) codes.push(base + 52 + value);
    else if (isPalette) codes.push(`${base + 8};5;${value}`);
  };
  colour(30, cell.getFgColor(), cell.isFgRGB(), cell.isFgPalette());
  colour(40, cell.getBgColor(), cell.isBgRGB(), cell.isBgPalette());
  return codes.join(';');
}

/** A line with its colours: each line begins and ends in the default style. */
function ansiLine(line: IBufferLine, cols: number): string {
  let end = cols;
  while (end > 0 && (line.getCell(end - 1)?.getChars() ?? '') === '' && styleOf(line, end - 1) === '') end -= 1;
  let text = '';
  let style = '';
  for (let x = 0; x < end; x += 1) {
    const cell = line.getCell(x);
    if (cell === undefined || cell.getWidth() === 0) continue; // The second half of a wide character.
    const next = styleOf(line, x);
    if (next !== style) text += next === '' ? '\u001b[0m' : `\u001b[0;${next}m`;
    style = next;
    text += cell.getChars() || ' ';
  }
  return style === '' ? text : `${text}\u001b[0m`;
}

/** One viewer of a run. It starts with the screen as it is, then gets what comes. */
class PtyStream implements TerminalStream {
  readonly #data = new Emitter<Uint8Array>();
  readonly #ended = new Emitter<void>();
  readonly #parts: { write: (data: Uint8Array) => void; resize: (size: TerminalSize) => void; onDispose: () => void };
  readonly #dispose: Disposable;
  /** What waits for the first listener (the first screen) or for the screen to be ready. */
  #waiting: Uint8Array[] | undefined = [];
  #waitingBytes = 0;
  #hasEnded = false;

  constructor(parts: { write: (data: Uint8Array) => void; resize: (size: TerminalSize) => void; onDispose: () => void }) {
    this.#parts = parts;
    this.#dispose = toDisposable(() => {
      this.#waiting = [];
      this.#data.dispose();
      this.#ended.dispose();
      parts.onDispose();
    });
  }

  /** The screen comes before everything that was pushed so far. */
  start(screen: Uint8Array): void {
    this.#waiting?.unshift(screen);
  }

  push(chunk: Uint8Array): void {
    if (this.#waiting === undefined) {
      this.#data.fire(chunk);
      return;
    }
    // One that never listens costs at most 1 MB; what it then misses is in `capture`.
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes <= 1 << 20) this.#waiting.push(chunk);
  }

  end(): void {
    this.#hasEnded = true;
    this.#ended.fire();
    this.dispose();
  }

  onData(listener: (chunk: Uint8Array) => void): Disposable {
    const registration = this.#data.on(listener);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const chunk of waiting) this.#data.fire(chunk);
    return registration;
  }

  onEnd(listener: () => void): Disposable {
    if (this.#hasEnded) queueMicrotask(listener);
    return this.#ended.on(listener);
  }

  write(data: Uint8Array): void {
    this.#parts.write(data);
  }

  resize(size: TerminalSize): void {
    this.#parts.resize(size);
  }

  dispose(): void {
    this.#dispose.dispose();
  }
}
