/** Runs single tasks in a temporary workspace, without a core: what operations need, with what they show and ask collected. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Json } from '#shared/kernel/json.ts';
import { executeTask } from '../execute-task.ts';
import type { Executed } from '../execute-task.ts';
import { ProcessGroups } from '../process-groups.ts';
import type { AskRequest, OperatorQuestion, TaskServices, TaskSettings } from '../task-context.ts';
import { failureOf } from '../task-failure.ts';
import { Workspace } from '../workspace.ts';

/** A workspace and what runs in it. */
export class TaskBench {
  readonly folder: string;
  readonly said: string[] = [];
  readonly asked: AskRequest[] = [];
  readonly progress: number[] = [];
  readonly #processes = new ProcessGroups();
  output = '';
  settings: TaskSettings = { batchSize: 100, poolSize: 4, outputFormat: 'json' };
  /** What peers answer. */
  answer: (request: AskRequest) => Promise<Json> = (request) => Promise.resolve({ from: request.to });

  private constructor(folder: string) {
    this.folder = folder;
  }

  readonly questions: OperatorQuestion[] = [];
  /** What the operator answers. */
  operatorAnswer: (question: OperatorQuestion) => Promise<string> = () => Promise.resolve('yes');

  /** Makes an empty workspace. */
  static async open(): Promise<TaskBench> {
    return new TaskBench(await mkdtemp(path.join(tmpdir(), 'qd-task-')));
  }

  async dispose(): Promise<void> {
    await this.#processes.dispose(0);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** An absolute path in the workspace. */
  at(relative: string): string {
    return path.join(this.folder, relative);
  }

  /** Runs a task. Rejects as the executor does. */
  async run(task: unknown, signal: AbortSignal = new AbortController().signal): Promise<Executed> {
    const services: TaskServices = {
      agentId: 'bench',
      workspace: await Workspace.open(this.folder),
      processes: this.#processes,
      settings: this.settings,
      commandEnv: { PATH: process.env['PATH'] ?? '' },
      ask: (request) => {
        this.asked.push(request);
        return this.answer(request);
      },
      askOperator: (question) => {
        this.questions.push(question);
        return this.operatorAnswer(question);
      },
      output: (chunk) => (this.output += chunk.toString()),
      say: (text) => this.said.push(text),
      progress: (share) => this.progress.push(share),
    };
    return executeTask(Json.parse(task), services, signal);
  }

  /** The result of a task. */
  async result(task: unknown): Promise<Json> {
    return (await this.run(task)).result;
  }

  /** The failure of a task that must fail. */
  async failure(task: unknown): Promise<ReturnType<typeof failureOf>> {
    const outcome = await this.run(task).then(
      (executed) => new Error(`Expected a failure, got ${JSON.stringify(executed.result)}`),
      (error: unknown) => failureOf(error),
    );
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }
}
