import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentDoor } from './testing/agent-door.ts';
import { isAlive, until, WorkerProcess } from './testing/worker-process.ts';

let folder: string;
let door: AgentDoor;
let workers: WorkerProcess[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qd-worker-'));
  door = new AgentDoor();
  await door.open();
  workers = [];
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.dispose()));
  await door.close();
  await rm(folder, { recursive: true, force: true });
});

function start(agentId = 'w1', env: Record<string, string> = {}): WorkerProcess {
  const worker = new WorkerProcess({ agentId, door, workspace: folder, env });
  workers.push(worker);
  return worker;
}

/** Waits for the one reply to a message and returns its data. */
async function answerTo(id: string, worker: WorkerProcess): Promise<unknown> {
  await until(
    () => door.repliesTo(id).length > 0,
    () => worker.output,
  );
  return door.repliesTo(id)[0]?.data;
}

/** Appends a line to a file in the workspace each time it runs: counts effects. */
const countingTask = (name: string, then = 'true') => ({ op: 'run', command: `echo x >> ${name}; ${then}` });

async function effects(name: string): Promise<number> {
  return (await readFile(path.join(folder, name), 'utf8')).split('\n').length - 1;
}

function getHealth(socketPath: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: '/health' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(JSON.parse(text)));
    });
    call.once('error', reject).end();
  });
}

describe('the worker program', { timeout: 60_000 }, () => {
  it('does a task, answers it, acknowledges it and shows what it does', async () => {
    const worker = start();
    const task = door.sendAsOperator('w1', { subject: 'Say hello', data: { op: 'run', command: ['echo', 'hello'] } });
    expect(await answerTo(task.id, worker)).toMatchObject({ ok: true, result: { exitCode: 0, stdout: 'hello\n' } });
    await until(
      () => door.unread('w1').length === 0,
      () => worker.output,
    );
    const reply = door.repliesTo(task.id)[0];
    expect(reply).toMatchObject({ to: ['operator'], from: { id: 'w1' } });
    expect(reply?.body).toContain('hello');
    await until(
      () => worker.output.includes('│ hello'),
      () => worker.output,
    );
    expect(worker.output).toContain('task from operator: Say hello');
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });

  it('runs "$ command" lines and says what a job looks like to anything else', async () => {
    const worker = start();
    const line = door.sendAsOperator('w1', { body: '$ echo from the line' });
    const prose = door.sendAsOperator('w1', { body: 'Please tidy up' });
    expect(await answerTo(line.id, worker)).toMatchObject({ ok: true, result: { stdout: 'from the line\n' } });
    expect(await answerTo(prose.id, worker)).toMatchObject({
      ok: false,
      error: { kind: 'invalid-task', message: expect.stringContaining('inventory') as string },
    });
  });

  it('prints and acknowledges notes without answering them', async () => {
    const worker = start();
    door.sendAsOperator('w1', { kind: 'note', body: 'Well \u001b[2Jdone' });
    await until(
      () => door.unread('w1').length === 0 && worker.output.includes('note from operator'),
      () => worker.output,
    );
    expect(worker.output).not.toContain('\u001b');
    expect(door.messages).toHaveLength(1);
  });

  it('does a task once although the answer to each call is lost once', async () => {
    for (const tool of ['get_messages', 'wait_for_messages', 'send_message', 'mark_messages_read']) {
      door.loseAnswers(tool, 'before-headers');
      door.loseAnswers(tool, 'mid-body');
    }
    const worker = start();
    const tasks = ['a', 'b', 'c'].map((name) => door.sendAsOperator('w1', { data: countingTask(name) }));
    for (const task of tasks) await answerTo(task.id, worker);
    await until(
      () => door.unread('w1').length === 0,
      () => worker.output,
    );
    for (const task of tasks) expect(door.repliesTo(task.id)).toHaveLength(1);
    for (const name of ['a', 'b', 'c']) expect(await effects(name)).toBe(1);
  });

  it('repeats what a core that is ending turns away, and gives up on a reply that nobody can take', async () => {
    door.refuse('send_message', 'UNAVAILABLE');
    door.refuse('mark_messages_read', 'UNAVAILABLE');
    const worker = start();
    const task = door.sendAsOperator('w1', { data: countingTask('once') });
    expect(await answerTo(task.id, worker)).toMatchObject({ ok: true });
    const orphan = door.sendAsAgent('unknown-agent', 'w1', { kind: 'request', data: countingTask('twice') });
    await until(
      () => door.unread('w1').length === 0,
      () => worker.output,
    );
    expect(door.repliesTo(orphan.id)).toHaveLength(0);
    expect(worker.output).toContain('the answer was refused');
    expect([await effects('once'), await effects('twice')]).toEqual([1, 1]);
  });

  it('waits calmly while the core is away and goes on when it is back', async () => {
    await door.close();
    const worker = start();
    await until(
      () => worker.output.includes('Quarterdeck is away'),
      () => worker.output,
    );
    const task = door.sendAsOperator('w1', { data: countingTask('once', 'sleep 0.3') });
    await door.open();
    await until(
      () => worker.output.includes('$ echo x'),
      () => worker.output,
    );
    await door.close();
    await until(
      () => worker.output.includes('done in'),
      () => worker.output,
    );
    await door.open();
    expect(await answerTo(task.id, worker)).toMatchObject({ ok: true });
    await until(
      () => door.unread('w1').length === 0,
      () => worker.output,
    );
    expect(await effects('once')).toBe(1);
    expect(worker.output.match(/Quarterdeck is away/g)).toHaveLength(2);
    expect(worker.output.match(/Quarterdeck is back/g)).toHaveLength(2);
  });

  it('does a message once that is delivered again, while it runs and after', async () => {
    const worker = start('w1', { QUARTERDECK_MAX_CONCURRENT_TASKS: '4' });
    const task = door.sendAsOperator('w1', { data: countingTask('once', 'until test -e go; do sleep 0.05; done') });
    await until(
      () => worker.output.includes('$ echo x'),
      () => worker.output,
    );
    door.redeliver('w1');
    const handedOut = door.calls.filter((call) => call.tool === 'wait_for_messages').length;
    door.sendAsOperator('w1', { kind: 'note', body: 'passing' });
    await until(
      () => door.calls.filter((call) => call.tool === 'wait_for_messages').length > handedOut,
      () => worker.output,
    );
    door.loseAnswers('mark_messages_read', 'before-headers');
    await writeFile(path.join(folder, 'go'), '');
    await answerTo(task.id, worker);
    door.redeliver('w1');
    await until(
      () => door.unread('w1').length === 0,
      () => worker.output,
    );
    expect(await effects('once')).toBe(1);
    expect(door.repliesTo(task.id)).toHaveLength(1);
  });

  it('finds a message that was handed out to a connection that was already dead', async () => {
    const worker = start();
    await until(
      () => door.calls.some((call) => call.tool === 'wait_for_messages'),
      () => worker.output,
    );
    // The poll under way wakes only after this turn, and then finds nothing queued but the note.
    const task = door.sendAsOperator('w1', { data: countingTask('once') });
    door.handOutToNobody('w1');
    door.sendAsOperator('w1', { kind: 'note', body: 'Anything else?' });
    expect(await answerTo(task.id, worker)).toMatchObject({ ok: true });
    expect(await effects('once')).toBe(1);
  });

  it('ends with code 77 and a clear line when its token is revoked', async () => {
    const worker = start();
    await until(
      () => door.calls.some((call) => call.tool === 'wait_for_messages'),
      () => worker.output,
    );
    door.revoke('w1');
    expect(await worker.exited).toMatchObject({ code: 77 });
    expect(worker.output).toContain('token is not accepted any more');
  });

  it('names what is wrong in its environment and ends with code 64', async () => {
    const worker = start('w1', { QUARTERDECK_AGENT_TOKEN: '', BATCH_SIZE: 'many' });
    expect(await worker.exited).toMatchObject({ code: 64 });
    expect(worker.output).toContain('QUARTERDECK_AGENT_TOKEN: is missing');
    expect(worker.output).toContain('BATCH_SIZE: must be a whole number');
  });

  it('ends a task that takes too long, with all its processes', async () => {
    const worker = start('w1', { QUARTERDECK_TASK_TIMEOUT_MS: '400' });
    const task = door.sendAsOperator('w1', { data: { op: 'run', command: 'sh -c "echo $$ > inner; exec sleep 60" & wait' } });
    expect(await answerTo(task.id, worker)).toMatchObject({ ok: false, error: { kind: 'timeout' } });
    const inner = Number(await readFile(path.join(folder, 'inner'), 'utf8'));
    await until(
      () => !isAlive(inner),
      () => 'the inner process lives on',
    );
  });

  it('stops quickly at SIGTERM, ends running commands, and the next start does the task', async () => {
    const first = start();
    const task = door.sendAsOperator('w1', { data: { op: 'run', command: 'echo $$ >> pids; test -e go || sleep 60' } });
    await until(
      async () => (await readFile(path.join(folder, 'pids'), 'utf8').catch(() => '')) !== '',
      () => first.output,
    );
    const stoppedAt = Date.now();
    first.kill('SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(Date.now() - stoppedAt).toBeLessThan(3000);
    const pid = Number(await readFile(path.join(folder, 'pids'), 'utf8'));
    await until(
      () => !isAlive(pid),
      () => 'the command lives on',
    );
    expect(door.unread('w1').map((message) => message.id)).toEqual([task.id]);
    expect(door.repliesTo(task.id)).toHaveLength(0);
    await writeFile(path.join(folder, 'go'), '');
    const second = start();
    expect(await answerTo(task.id, second)).toMatchObject({ ok: true });
  });

  it('leaves no command behind when it is killed', async () => {
    const worker = start();
    door.sendAsOperator('w1', { data: { op: 'run', command: 'echo $$ > pid; sleep 60' } });
    await until(
      async () => (await readFile(path.join(folder, 'pid'), 'utf8').catch(() => '')) !== '',
      () => worker.output,
    );
    const pid = Number(await readFile(path.join(folder, 'pid'), 'utf8'));
    worker.kill('SIGKILL');
    expect(await worker.exited).toMatchObject({ signal: 'SIGKILL' });
    await until(
      () => !isAlive(-pid),
      () => `group ${pid} is still there`,
    );
  });

  it('runs as many tasks at once as allowed, the urgent first, and writes its queue', async () => {
    const queueFile = path.join(folder, 'queue.txt');
    const first = door.sendAsOperator('w1', {
      subject: 'first',
      data: { op: 'run', command: 'until test -e go; do sleep 0.05; done' },
    });
    door.sendAsOperator('w1', { subject: 'later', data: { op: 'run', command: 'echo later >> order' } });
    const worker = start('w1', { QUARTERDECK_QUEUE_FILE: queueFile });
    await until(
      async () => /^running .*first/m.test(await readFile(queueFile, 'utf8').catch(() => '')),
      () => worker.output,
    );
    const urgent = door.sendAsOperator('w1', {
      subject: 'urgent',
      priority: 'critical',
      data: { op: 'run', command: 'echo urgent >> order' },
    });
    await until(
      async () => /^waiting .*urgent[^]*^waiting .*later/m.test(await readFile(queueFile, 'utf8')),
      () => worker.output,
    );
    await writeFile(path.join(folder, 'go'), '');
    await answerTo(first.id, worker);
    await answerTo(urgent.id, worker);
    await until(
      () => door.unread('w1').length === 0,
      () => worker.output,
    );
    expect(await readFile(path.join(folder, 'order'), 'utf8')).toBe('urgent\nlater\n');
    await until(
      async () => (await readFile(queueFile, 'utf8')) === '0 running, 0 waiting, 3 done, 0 failed\n',
      () => worker.output,
    );
  });

  it('serves its health, with the core connected and away', async () => {
    const socketPath = path.join(folder, 'h.sock');
    const worker = start('w1', { QUARTERDECK_HEALTH_SOCKET: socketPath });
    const task = door.sendAsOperator('w1', { data: { op: 'run', command: 'exit 3' } });
    expect(await answerTo(task.id, worker)).toMatchObject({ ok: false, error: { kind: 'exit' } });
    await until(
      () => door.unread('w1').length === 0,
      () => worker.output,
    );
    expect(await getHealth(socketPath)).toMatchObject({
      status: 'ok',
      agentId: 'w1',
      pid: worker.pid,
      core: 'connected',
      tasks: { running: 0, waiting: 0, done: 0, failed: 1 },
    });
    await door.close();
    await until(
      () => worker.output.includes('is away'),
      () => worker.output,
    );
    expect(await getHealth(socketPath)).toMatchObject({ core: 'away' });
  });

  it('keeps its token from the commands it runs', async () => {
    const worker = start();
    const task = door.sendAsOperator('w1', { data: { op: 'run', command: 'env' } });
    const answer = JSON.stringify(await answerTo(task.id, worker));
    expect(answer).toContain('QUARTERDECK_AGENT_ID=w1');
    expect(answer).not.toContain('token-w1');
  });

  it('reports what it is at, at most about twice a second', async () => {
    const worker = start();
    const startedAt = Date.now();
    const items = Array.from({ length: 40 }, (_, index) => index);
    const task = door.sendAsOperator('w1', {
      subject: 'Many items',
      data: { op: 'batch', items, concurrency: 1, task: { op: 'run', command: 'sleep 0.02' } },
    });
    await answerTo(task.id, worker);
    await until(
      () => JSON.stringify(door.calls.findLast((call) => call.tool === 'report_status')?.args) === '{"doing":""}',
      () => worker.output,
    );
    const reports = door.calls.filter((call) => call.tool === 'report_status');
    expect(reports.some((call) => JSON.stringify(call.args).includes('Many items'))).toBe(true);
    expect(reports.length).toBeLessThanOrEqual((Date.now() - startedAt) / 500 + 2);
  });
});
