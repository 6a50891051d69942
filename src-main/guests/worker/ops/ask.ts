/** `ask` and `askAll`: work given to peers, by message. */
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOf } from '#shared/worker/model.ts';
import type { JsonObject } from '../references.ts';
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
