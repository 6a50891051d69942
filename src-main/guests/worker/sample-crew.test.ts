/** The sample crew's own team file, done by three real workers, against facts found by other means. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { effort } from '#e2e/support/effort.ts';
import { expectFacts, SurveyReply } from '#e2e/support/expect-survey.ts';
import { surveyFacts } from '#e2e/support/facts.ts';
import { readReport } from '#e2e/support/report-page.ts';
import { Json } from '#shared/kernel/json.ts';
import { AgentDoor } from './testing/agent-door.ts';
import type { DoorMessage } from './testing/agent-door.ts';
import { until, WorkerProcess } from './testing/worker-process.ts';

const run = promisify(execFile);
const TEAM_FILE = path.join(import.meta.dirname, '../../../assets/teams/sample-crew.yaml');
const TeamFile = z.object({
  agents: z.array(z.object({ id: z.string() })),
  start: z.array(z.object({ to: z.string(), subject: z.string(), body: z.string(), data: Json })),
});

let folder: string;
let door: AgentDoor;
let workers: Map<string, WorkerProcess>;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qd-crew-'));
  door = new AgentDoor();
  await door.open();
  workers = new Map();
});

afterEach(async () => {
  await Promise.all([...workers.values()].map((worker) => worker.dispose()));
  await door.close();
  await rm(folder, { recursive: true, force: true });
});

function start(agentId: string): WorkerProcess {
  const worker = new WorkerProcess({ agentId, door, workspace: folder });
  workers.set(agentId, worker);
  return worker;
}

/** The team file, with the ids put in as the core does it: here the agents got a suffix. */
async function startCrew(): Promise<DoorMessage> {
  const text = (await readFile(TEAM_FILE, 'utf8')).replaceAll(/'@(analyst-\d)'/g, "'$1-x'");
  const team = TeamFile.parse(parse(text));
  for (const { id } of team.agents) start(id === 'scout' ? id : `${id}-x`);
  const [task] = team.start;
  if (task === undefined) throw new Error('The team file starts nothing');
  return door.sendAsOperator(task.to, { subject: task.subject, body: task.body, data: task.data });
}

/** A repository whose files share lines: the same seed makes the same files. */
async function makeRepository(files: number, linesPerFile: number): Promise<void> {
  await run('git', ['init', '-q'], { cwd: folder });
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % below;
  };
  const endings = ['ts', 'md', 'json', 'py', 'sh', 'css', 'unknown', 'YML'];
  for (let index = 0; index < files; index += 1) {
    const lines: string[] = [];
    while (lines.length < linesPerFile) {
      const topic = random(40);
      const special = random(30);
      if (special === 0) lines.push('  ', '}', '\t');
      else if (special === 1) lines.push(`// ${random(2) === 0 ? 'TODO' : 'FIXME'}: item ${random(1000)} | \`x\``);
      else if (special < 10)
        for (let line = 0; line < 4 + random(9); line += 1) lines.push(`${' '.repeat(random(3))}shared(${topic}, ${line});`);
      else lines.push(`unique ${index} ${lines.length} ${'x'.repeat(random(60))}`);
    }
    const file = path.join(folder, `dir-${index % 7}`, `f ${index}.${endings[index % endings.length]}`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, lines.join('\n') + (random(3) === 0 ? '' : '\n'));
  }
  await writeFile(path.join(folder, 'picture.png'), Buffer.from([137, 80, 78, 71, 0, 1]));
  await writeFile(path.join(folder, '.gitignore'), 'out/\n');
  await mkdir(path.join(folder, 'out'));
  await writeFile(path.join(folder, 'out', 'ignored.ts'), 'TODO\n'.repeat(20));
}

async function finished(task: DoorMessage, deadlineMs = 60_000): Promise<z.infer<typeof SurveyReply>> {
  await until(
    () => door.repliesTo(task.id).length > 0,
    () => [...workers.values()].map((worker) => worker.output).join('\n'),
    deadlineMs,
  );
  const data = door.repliesTo(task.id)[0]?.data ?? null;
  const done = SurveyReply.safeParse(data);
  if (!done.success) throw new Error(JSON.stringify(data).slice(0, 2000));
  return done.data;
}

describe('the sample crew', { timeout: effort.roundsTimeoutMs }, () => {
  it('surveys a repository: its report has the facts that git, grep and awk find', async () => {
    await makeRepository(effort.treeFiles, 60);
    const facts = await surveyFacts(folder);
    expect(facts.duplicateBlocks).toBeGreaterThan(3);
    const task = await startCrew();
    const { result, artefacts } = await finished(task);
    expectFacts(result.merge, facts);
    expect(result.merge.analysts.map((analyst) => analyst.analyst)).toEqual(['analyst-1-x', 'analyst-2-x']);
    expect(artefacts.map((artefact) => artefact.path)).toEqual(['report.md']);
    const page = await readFile(path.join(folder, 'report.md'), 'utf8');
    const { todos, languages, ...others } = facts;
    const numbers = readReport(page);
    expect(numbers).toMatchObject({ ...others, todoCount: todos.length, analysts: ['analyst-1-x', 'analyst-2-x'] });
    for (const [language, expected] of languages) expect(numbers.languages.get(language)).toEqual(expected);
    for (const agent of ['scout', 'analyst-1-x', 'analyst-2-x'])
      await until(
        () => door.unread(agent).length === 0,
        () => `${agent} has unread messages`,
      );
    // Run again it may replace its own page, and does not count it.
    const again = door.sendAsOperator('scout', { data: task.data });
    expectFacts((await finished(again)).result.merge, facts);
  });

  it('passes what is too large for a message through the workspace and tidies up', async () => {
    await makeRepository(40, 2000);
    const facts = await surveyFacts(folder);
    const task = await startCrew();
    const { result } = await finished(task);
    expectFacts(result.merge, facts);
    const replies = door.messages.filter((message) => message.kind === 'reply' && message.from.id.startsWith('analyst'));
    expect(JSON.stringify(replies.map((reply) => reply.data))).toContain('$file');
    await until(
      () => door.unread('scout').length === 0,
      () => workers.get('scout')?.output ?? '',
    );
    await until(
      async () => (await readdir(path.join(folder, '.quarterdeck-worker'))).join() === '.gitignore',
      () => 'files of large values are left',
    );
    expect((await run('git', ['status', '--porcelain', '.quarterdeck-worker'], { cwd: folder })).stdout).toBe('');
  });

  it('ends right, with each request sent once, when every worker is killed and the core goes away in between', async () => {
    await makeRepository(30, 60);
    const facts = await surveyFacts(folder);
    const task = await startCrew();
    await until(
      () => door.messages.filter((message) => message.kind === 'request').length === 2,
      () => workers.get('scout')?.output ?? '',
    );
    await door.close();
    for (const [id, worker] of workers) {
      await worker.dispose();
      start(id);
    }
    await until(
      () => workers.get('scout')?.output.includes('is away') === true,
      () => workers.get('scout')?.output ?? '',
    );
    await door.open();
    const { result } = await finished(task);
    expectFacts(result.merge, facts);
    expect(door.messages.filter((message) => message.kind === 'request')).toHaveLength(2);
    expect(door.repliesTo(task.id)).toHaveLength(1);
  });

  it('takes a reply that came while it was dead', async () => {
    await makeRepository(10, 30);
    start('scout');
    const task = door.sendAsOperator('scout', { data: { op: 'ask', to: 'oracle', task: { op: 'files.list' } } });
    await until(
      () => door.messages.some((message) => message.kind === 'request'),
      () => workers.get('scout')?.output ?? '',
    );
    await workers.get('scout')?.dispose();
    const request = door.messages.find((message) => message.kind === 'request');
    door.sendAsAgent('oracle', 'scout', {
      kind: 'reply',
      body: 'I am no worker',
      data: { free: 'form' },
      inReplyTo: request?.id ?? '',
    });
    const worker = start('scout');
    await until(
      () => door.repliesTo(task.id).length === 1 && door.unread('scout').length === 0,
      () => worker.output,
    );
    expect(door.repliesTo(task.id)[0]?.data).toMatchObject({
      ok: true,
      result: { body: 'I am no worker', data: { free: 'form' } },
    });
    expect(door.messages.filter((message) => message.kind === 'request')).toHaveLength(1);
  });

  it('takes all replies that came while it was dead, however short the pages of its inbox are', async () => {
    door.maxPageMessages = 1;
    start('scout');
    const asks = ['p1', 'p2', 'p3'].map((to) => ({ to, task: { op: 'files.list' } }));
    const task = door.sendAsOperator('scout', { data: { op: 'askAll', asks } });
    const requests = (): DoorMessage[] => door.messages.filter((message) => message.kind === 'request');
    await until(
      () => requests().length === 3,
      () => workers.get('scout')?.output ?? '',
    );
    await workers.get('scout')?.dispose();
    for (const request of requests())
      door.sendAsAgent(request.to[0] ?? '', 'scout', { kind: 'reply', body: `From ${request.to[0]}`, inReplyTo: request.id });
    // Handed out, and lost with the connection: only get_messages has them.
    door.handOutToNobody('scout');
    const worker = start('scout');
    await until(
      () => door.repliesTo(task.id).length === 1 && door.unread('scout').length === 0,
      () => worker.output,
    );
    expect(door.repliesTo(task.id)[0]?.data).toMatchObject({
      ok: true,
      result: { answers: asks.map(({ to }) => ({ to, result: { body: `From ${to}` } })) },
    });
    expect(requests()).toHaveLength(3);
  });

  it('names the step and the peer when asking fails', async () => {
    const worker = start('w1');
    start('w2');
    const cases: { data: Json; kind: string; text: string }[] = [
      { data: { op: 'ask', to: 'unknown-agent', task: { op: 'files.list' } }, kind: 'ask', text: 'unknown-agent' },
      { data: { op: 'ask', to: 'w1', task: { op: 'files.list' } }, kind: 'ask', text: 'cannot ask itself' },
      {
        data: { op: 'ask', to: 'silent', timeoutMs: 100, task: { op: 'files.list' } },
        kind: 'timeout',
        text: 'no reply within 100 ms',
      },
      {
        data: { op: 'pipeline', steps: [{ name: 'far', op: 'ask', to: 'w2', task: { op: 'files.read', path: '../x' } }] },
        kind: 'peer',
        text: 'Step "far" failed: "w2" answered: "../x" contains ".."',
      },
    ];
    for (const { data, kind, text } of cases) {
      const task = door.sendAsOperator('w1', { data });
      await until(
        () => door.repliesTo(task.id).length > 0,
        () => worker.output,
      );
      expect(door.repliesTo(task.id)[0]?.data).toMatchObject({
        ok: false,
        error: { kind, message: expect.stringContaining(text) as string },
      });
    }
  });
});
