/** `ask` and `askAll`: work given to peers, by message. `question`: what only the operator can say. */
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOf } from '#shared/worker/model.ts';
import type { JsonObject } from '../references.ts';
import { TaskFailure } from '../task-failure.ts';
import { placeWithin } from '../task-context.ts';
import type { TaskContext } from '../task-context.ts';

/** Asks one peer; the result is the result in its reply. */
export async function askPeer(task: TaskOf<'ask'>, context: TaskContext): Promise<Json> {
  return context.ask({
    to: task.to,
    task: task.task as JsonObject,
    subject: task.subject,
    place: placeWithin(context.place, 'ask'),
    timeoutMs: task.timeoutMs,
    signal: context.signal,
  });
}

/** Asks several peers at once. All replies are waited for, so that none is left over; then the first failure, if any, is the task's. */
export async function askPeers(task: TaskOf<'askAll'>, context: TaskContext): Promise<Json> {
  let answered = 0;
  const answers = await Promise.allSettled(
    task.asks.map(async ({ to, task: asked, subject }, index) => {
      const result = await context.ask({
        to,
        task: asked as JsonObject,
        subject,
        place: placeWithin(context.place, `ask-${index}`),
        timeoutMs: task.timeoutMs,
        signal: context.signal,
      });
      answered += 1;
      context.progress(answered / task.asks.length);
      return { to, result };
    }),
  );
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { answers: answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])) };
}

/** Asks the operator. The result is the answer, and whether it was given or taken from `otherwise`. */
export async function askOperator(task: TaskOf<'question'>, context: TaskContext): Promise<Json> {
  const { text, options, otherwise, waitMs } = task;
  const withoutAnswer = (failure: TaskFailure): Json => {
    if (otherwise === undefined) throw failure;
    return { answer: otherwise, isAnswered: false };
  };
  if (waitMs === 0) return withoutAnswer(new TaskFailure('input', 'A question with "waitMs": 0 needs an "otherwise"'));
  context.say(`asks you: ${text}`);
  try {
    const answer = await context.askOperator({
      text,
      options: options ?? [],
      place: placeWithin(context.place, 'question'),
      timeoutMs: waitMs,
      signal: context.signal,
    });
    context.say(`you said: ${answer}`);
    return { answer, isAnswered: true };
  } catch (error) {
    if (error instanceof TaskFailure && error.kind === 'timeout') return withoutAnswer(error);
    throw error;
  }
}
