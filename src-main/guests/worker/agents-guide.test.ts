/** What stands in docs/agents.md, as it stands there: its agent against the door, its job in a workspace. */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { AgentDoor } from './testing/agent-door.ts';
import { TaskBench } from './testing/task-bench.ts';
import { until } from './testing/worker-process.ts';

async function fromGuide(fence: RegExp): Promise<string> {
  const guide = await readFile(path.join(import.meta.dirname, '../../../docs/agents.md'), 'utf8');
  return fence.exec(guide)?.[1] ?? '';
}

it('surveys without peers', async () => {
  const bench = await TaskBench.open();
  try {
    await writeFile(bench.at('a.ts'), 'one\n// TODO two\n');
    const result = await bench.result(JSON.parse(await fromGuide(/```json\n([^]*?)```/)));
    expect(result).toMatchObject({ report: { path: 'report.md', totals: { files: 1, lines: 2 }, todos: 1 } });
  } finally {
    await bench.dispose();
  }
});

it(
  'answers each task once, through lost answers and an absent core, and ends when its token is revoked',
  { timeout: 60_000 },
  async () => {
    const program = await fromGuide(/```python\n([^]*?)```/);
    const door = new AgentDoor();
    await door.open();
    door.loseAnswers('get_messages', 'mid-body');
    door.loseAnswers('send_message', 'before-headers');
    door.loseAnswers('mark_messages_read', 'before-headers');
    door.refuse('send_message', 'UNAVAILABLE');
    const agent = spawn('python3', ['-c', program], {
      env: { PATH: process.env['PATH'], QUARTERDECK_AGENT_URL: door.url, QUARTERDECK_AGENT_TOKEN: 'token-shouter' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    agent.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const exited = new Promise<number | null>((resolve) => agent.once('exit', (code) => resolve(code)));
    try {
      const first = door.sendAsOperator('shouter', { body: 'hello' });
      await until(
        () => door.unread('shouter').length === 0,
        () => errors,
      );
      await door.close();
      const second = door.sendAsAgent('peer', 'shouter', { kind: 'request', body: 'again' });
      await door.open();
      await until(
        () => door.unread('shouter').length === 0,
        () => errors,
      );
      expect(door.repliesTo(first.id)).toMatchObject([{ to: ['operator'], body: 'HELLO', data: { ok: true, result: 'HELLO' } }]);
      expect(door.repliesTo(second.id)).toMatchObject([{ to: ['peer'], body: 'AGAIN' }]);
      door.revoke('shouter');
      await door.close();
      await door.open();
      expect(await exited).toBe(77);
    } finally {
      agent.kill('SIGKILL');
      await exited;
      await door.close();
    }
  },
);
