import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ORPCError } from '@orpc/server';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ERROR_CODES } from '#shared/kernel/errors.ts';
import { mintId } from '#shared/kernel/ids.ts';
import { EMPTY_STATE } from '#shared/state.ts';
import { isProcessAlive } from './core-address.ts';
import { runInProcess } from './testing/run-in-process.ts';
import { sampleAgent, sampleMessage, sentEvent } from './testing/sample-values.ts';
import type { ScriptedCore } from './testing/scripted-core.ts';
import { makeDataDir, script, startScriptedCore } from './testing/scripted-core.ts';

const ErrorDocument = z.object({ error: z.object({ code: z.string(), message: z.string(), exitCode: z.number() }) });

const cores: ScriptedCore[] = [];
const folders: string[] = [];

async function withAnswers(router: Parameters<typeof startScriptedCore>[0]): Promise<ScriptedCore> {
  const core = await startScriptedCore(router);
  cores.push(core);
  return core;
}

function dataDir(options?: Parameters<typeof makeDataDir>[0]): string {
  const folder = makeDataDir(options);
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const core of cores.splice(0)) await core.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('without a core', () => {
  it.each([
    ['there is no run.json', () => dataDir()],
    // No system has this process: the largest pid of Linux is 2^22.
    ['its process is gone', () => dataDir({ url: 'http://127.0.0.1:1/', pid: 2 ** 22 + 1 })],
    ['nothing answers there', () => dataDir({ url: 'http://127.0.0.1:1/' })],
  ])('ends with 3 and says what to do when %s', async (_name, make) => {
    const folder = make();
    const told = await runInProcess(['agents'], { dataDir: folder });
    expect(told).toMatchObject({ code: 3, stdout: '' });
    expect(told.stderr).toContain('Quarterdeck is not running; start it with `quarterdeck serve`');
    const document = await runInProcess(['agents', '--json'], { dataDir: folder });
    expect(document).toMatchObject({ code: 3, stdout: '' });
    expect(ErrorDocument.parse(JSON.parse(document.stderr)).error).toMatchObject({ code: 'NOT_RUNNING', exitCode: 3 });
  });

  it('takes the common options before the command, too', async () => {
    const told = await runInProcess(['--json', '--data-dir', dataDir(), 'agents'], { dataDir: '/nonexistent' });
    expect(told.code).toBe(3);
    expect(ErrorDocument.parse(JSON.parse(told.stderr)).error.code).toBe('NOT_RUNNING');
  });

  it('takes a process that is dead and not yet collected for gone', async () => {
    // A shell that becomes a program which never collects its children; before that it would collect them itself. By a
    // descriptor of its own, because what a shell starts in the background has an empty standard input, and would be dead at once.
    const parent = spawn('sh', ['-c', 'exec 3<&0; cat <&3 & echo $!; exec sleep 60'], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      const [chunk] = z.tuple([z.instanceof(Buffer)]).parse(await once(parent.stdout, 'data'));
      const pid = Number(chunk.toString());
      await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim()).toBe('sleep');
      parent.stdin.end();
      await expect.poll(() => isProcessAlive(pid)).toBe(false);
      expect(() => process.kill(pid, 0)).not.toThrow();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('looks at the machine by itself', async () => {
    const { code, stdout } = await runInProcess(['doctor', '--json'], { dataDir: dataDir(), env: { PATH: process.env['PATH'] } });
    const result = z
      .object({ isRunning: z.literal(false), checks: z.array(z.object({ id: z.string() })) })
      .parse(JSON.parse(stdout));
    expect(result.checks.map(({ id }) => id)).toContain('tmux');
    expect([0, 1]).toContain(code);
  });
});

describe('wrong usage', () => {
  it.each([
    [['bogus'], "unknown command 'bogus'"],
    [['agents', '--nope'], "unknown option '--nope'"],
    [['agents', '--status', 'sleepy'], '--status'],
    [['agents', 'stop'], 'Name the agents to stop'],
    [['agents', 'stop', 'a', '--all'], 'not both'],
    [['agents', 'show', 'Not An Id'], "is no agent's id"],
    [['logs', 'w1', '--lines', 'many'], '--lines: must be a whole number'],
    [['spawn'], 'Say what to spawn'],
    [['spawn', '--type', 'worker', '--env', 'NOVALUE'], 'NAME=value'],
    [['spawn', '--type', 'worker', '--sandbox', 'chroot'], '--sandbox'],
    [['send', 'w1'], "missing required argument 'text'"],
    [['send', 'w1', 'hi', '--data', '{no'], '--data: this is not JSON'],
    [['send', 'w1', 'hi', '--wait', '--kind', 'note'], 'is not answered'],
    [['send', 'UPPER', 'hi'], 'is no address'],
    [['up'], 'Name a team file'],
    [['attach', 'w1'], 'attach needs a terminal'],
    [['tokens', 'create', 'x'], '--role'],
    [['tokens', 'revoke', 'nope'], 'is no token id'],
    [['tokens', 'role', 'nope', 'observer'], 'is no token id'],
    [['tokens', 'role', 'tok_00000000-0000-7000-8000-000000000001', 'boss'], 'is none of the roles'],
    [['completion', 'tcsh'], 'bash, zsh or fish'],
    [['inbox', '--agent', 'w1', '--mark-read'], '--mark-read'],
    [['agents', '--url', 'not an address'], '--url'],
  ])('%j ends with 2', async (argv, says) => {
    const { code, stdout, stderr } = await runInProcess(argv, { dataDir: dataDir() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
    const document = await runInProcess([...argv, '--json'], { dataDir: dataDir() });
    expect(ErrorDocument.parse(JSON.parse(document.stderr)).error.exitCode).toBe(2);
  });

  it('prints help on stdout when asked, with examples and exit codes', async () => {
    const help = await runInProcess(['--help'], { dataDir: dataDir() });
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('Exit codes: 0 done');
    const ofSend = await runInProcess(['send', '--help'], { dataDir: dataDir() });
    expect(ofSend.stdout).toContain('Examples:\n  $ quarterdeck send w1');
    expect((await runInProcess([], { dataDir: dataDir() })).code).toBe(2);
  });
});

describe('errors of the core', () => {
  const EXPECTED: Readonly<Record<string, number>> = {
    BAD_REQUEST: 2,
    PAYLOAD_TOO_LARGE: 2,
    UNAUTHORIZED: 4,
    FORBIDDEN: 4,
    NOT_FOUND: 5,
    CONFLICT: 5,
  };

  it.each(ERROR_CODES)('%s has its exit code', async (code) => {
    const core = await withAnswers({
      agents: {
        get: script.agents.get.handler(() => {
          throw new ORPCError(code, { message: `because of ${code}` });
        }),
      },
    });
    const told = await runInProcess(['agents', 'show', 'w1'], { dataDir: core.dataDir });
    expect(told).toEqual({ code: EXPECTED[code] ?? 1, stdout: '', stderr: `quarterdeck: because of ${code}\n` });
  });

  it('ends with 4 when the token is refused', async () => {
    const core = await withAnswers({});
    const told = await runInProcess(['agents'], { dataDir: core.dataDir, env: { QUARTERDECK_TOKEN: 'wrong' } });
    expect(told).toMatchObject({ code: 4, stderr: 'quarterdeck: This token is not known.\n' });
  });

  it('ends with 3 when the connection breaks during a call, and says that it may have been done', async () => {
    const core = await withAnswers({
      system: { info: script.system.info.handler(() => (core.cut(), new Promise<never>(() => undefined))) },
    });
    const told = await runInProcess(['shutdown'], { dataDir: core.dataDir });
    expect(told.code).toBe(3);
    expect(told.stderr).toContain('may or may not have been done');
  });

  it('says who and where it is', async () => {
    const core = await withAnswers({ projects: { list: script.projects.list.handler(() => ({ projects: [] })) } });
    await runInProcess(['projects'], { dataDir: core.dataDir, cwd: '/a folder/ä' });
    expect(core.visits.at(-1)).toMatchObject({
      'x-quarterdeck-client': 'cli',
      'x-quarterdeck-folder': encodeURIComponent('/a folder/ä'),
    });
  });
});

describe('agents', () => {
  const listing = (says: string) => ({
    agents: {
      list: script.agents.list.handler(() => ({
        agents: [sampleAgent('a-long-name', 'idle', says), sampleAgent('b', 'stopped', 'old news')],
        total: 2,
      })),
      stop: script.agents.stop.handler(({ input }) => {
        if (input.id === 'gone') throw new ORPCError('NOT_FOUND', { message: 'There is no agent "gone".' });
        return sampleAgent(input.id, 'stopped');
      }),
    },
  });

  it('are a table: aligned, plain where there is no terminal, and without what could drive one', async () => {
    const core = await withAnswers(listing('\u001b]0;owned\u0007work\u001b[31m\nnow\u0007'));
    const { stdout } = await runInProcess(['agents'], { dataDir: core.dataDir });
    const [head = '', first = '', second = ''] = stdout.split('\n');
    expect(head.indexOf('STATUS')).toBe(first.indexOf('idle'));
    expect(head.indexOf('STATUS')).toBe(second.indexOf('stopped'));
    expect(first).toContain('says: work now␇ (50 %)');
    expect(stdout).not.toContain('\u001b');
    // What it said last is no news of one that has ended.
    expect(second).toContain('process 1 runs');
  });

  it('are coloured and cut to the width on a terminal, unless NO_COLOR is set', async () => {
    const core = await withAnswers(listing('x'.repeat(200)));
    const coloured = await runInProcess(['agents'], { dataDir: core.dataDir, columns: 100 });
    expect(coloured.stdout).toContain('\u001b[32midle\u001b[0m');
    const grey = await runInProcess(['agents'], { dataDir: core.dataDir, columns: 100, env: { NO_COLOR: '1' } });
    expect(grey.stdout).not.toContain('\u001b');
    expect(Math.max(...grey.stdout.split('\n').map((line) => line.length))).toBe(100);
  });

  it('are stopped one by one; a failure does not keep the others from it', async () => {
    const core = await withAnswers(listing(''));
    const told = await runInProcess(['stop', 'x', 'gone', 'y'], { dataDir: core.dataDir });
    expect(told).toEqual({
      code: 5,
      stdout: 'x is stopped.\ny is stopped.\n',
      stderr: 'quarterdeck: There is no agent "gone".\n',
    });
    const document = await runInProcess(['agents', 'stop', 'x', 'gone', '--json'], { dataDir: core.dataDir });
    expect(document.code).toBe(5);
    expect(JSON.parse(document.stdout)).toMatchObject({
      agents: [{ id: 'x' }],
      failed: [{ id: 'gone', error: { code: 'NOT_FOUND' } }],
    });
  });
});

describe('messages', () => {
  it('are sent as stated, with data from a file and text from standard input', async () => {
    const inputs: unknown[] = [];
    const core = await withAnswers({
      messages: {
        send: script.messages.send.handler(({ input }) => {
          inputs.push(input);
          const messageId = mintId('msg');
          return { messageId, threadId: messageId, recipients: ['a', 'b'], refused: [], isDuplicate: false };
        }),
      },
    });
    writeFileSync(join(core.dataDir, 'data.json'), '{"op":"run"}');
    const told = await runInProcess(
      ['send', 'a,b', '-', '--kind', 'task', '--priority', 'high', '--subject', 's', '--data', '@data.json', '--key', 'k'],
      { dataDir: core.dataDir, stdin: 'text\n' },
    );
    expect(told.code).toBe(0);
    expect(told.stdout).toContain('Sent to a, b: msg_');
    expect(inputs).toEqual([
      { to: ['a', 'b'], body: 'text\n', kind: 'task', priority: 'high', subject: 's', data: { op: 'run' }, idempotencyKey: 'k' },
    ]);
  });

  it('with --wait end when the answer is there, also when the line breaks meanwhile; 1 when the work failed', async () => {
    const messageId = mintId('msg');
    let follows = 0;
    const core = await withAnswers({
      journal: {
        snapshot: script.journal.snapshot.handler(() => ({ ...EMPTY_STATE, seq: 7 })),
        follow: script.journal.follow.handler(async function* ({ input }) {
          follows += 1;
          if (follows === 1) {
            yield {
              type: 'events' as const,
              events: [
                sentEvent(input.after + 1, sampleMessage({ kind: 'reply', inReplyTo: messageId as never, from: 'stranger' })),
              ],
            };
            core.cut();
            await new Promise<never>(() => undefined);
          }
          // Goes on after what was seen.
          expect(input.after).toBe(8);
          yield {
            type: 'events' as const,
            events: [
              sentEvent(9, sampleMessage({ kind: 'reply', inReplyTo: messageId as never, body: 'No way', data: { ok: false } })),
            ],
          };
        }),
      },
      messages: {
        send: script.messages.send.handler(() => ({
          messageId,
          threadId: messageId,
          recipients: ['w1'],
          refused: [],
          isDuplicate: false,
        })),
      },
    });
    const told = await runInProcess(['send', 'w1', 'please', '--wait', '--json'], { dataDir: core.dataDir });
    expect(told.code).toBe(1);
    expect(z.object({ replies: z.array(z.object({ body: z.string() })) }).parse(JSON.parse(told.stdout)).replies).toEqual([
      { body: 'No way' },
    ]);
    expect(follows).toBe(2);
  });

  it('with --wait end with 1 when no answer comes in time', async () => {
    const messageId = mintId('msg');
    const core = await withAnswers({
      journal: {
        snapshot: script.journal.snapshot.handler(() => EMPTY_STATE),
        follow: script.journal.follow.handler(async function* () {
          yield { type: 'heartbeat' as const, seq: 0 };
          await new Promise<never>(() => undefined);
        }),
      },
      messages: {
        send: script.messages.send.handler(() => ({
          messageId,
          threadId: messageId,
          recipients: ['w1'],
          refused: [],
          isDuplicate: false,
        })),
      },
    });
    const told = await runInProcess(['send', 'w1', 'please', '--wait', '--timeout', '200ms'], { dataDir: core.dataDir });
    expect(told.code).toBe(1);
    expect(told.stderr).toContain('No answer in time from w1');
  });

  it('with --wait end with 1 when the agent ends before it has answered', async () => {
    const messageId = mintId('msg');
    const agent = sampleAgent('w1');
    const core = await withAnswers({
      journal: {
        snapshot: script.journal.snapshot.handler(() => EMPTY_STATE),
        follow: script.journal.follow.handler(async function* () {
          const state = {
            status: 'failed' as const,
            reason: 'exit code 9',
            since: 1,
            evidence: { source: 'process' as const, detail: 'exit code 9', at: 1 },
          };
          yield {
            type: 'events' as const,
            events: [
              {
                seq: 1,
                at: 1,
                projectId: agent.projectId,
                actor: { kind: 'system' as const, id: 'core' },
                door: 'core' as const,
                kind: 'agent.state-changed' as const,
                subject: 'w1',
                data: { state },
              },
            ],
          };
          await new Promise<never>(() => undefined);
        }),
      },
      messages: {
        send: script.messages.send.handler(() => ({
          messageId,
          threadId: messageId,
          recipients: ['w1'],
          refused: [],
          isDuplicate: false,
        })),
      },
    });
    const told = await runInProcess(['send', 'w1', 'please', '--wait'], { dataDir: core.dataDir });
    expect(told.code).toBe(1);
    expect(told.stderr).toContain('w1 is failed (exit code 9) and has not answered.');
  });

  it('are shown with where each copy stands', async () => {
    const message = sampleMessage();
    const now = Date.now();
    const copy = { messageId: message.id, queuedAt: 0, deliveredAt: null, readAt: null, deadAt: null, deadReason: null };
    const still = { ...copy, attempts: 0, leasedUntil: null, availableAt: 0 };
    const core = await withAnswers({
      messages: {
        get: script.messages.get.handler(() => ({
          message,
          deliveries: [
            { ...still, recipient: 'ada', state: 'delivered', attempts: 2, leasedUntil: now + 600_000 },
            { ...still, recipient: 'ben', state: 'queued', availableAt: now + 600_000 },
            { ...still, recipient: 'cleo', state: 'dead', deadReason: 'expired' },
            { ...still, recipient: 'dee', state: 'dead', attempts: 10, deadReason: 'attempts' },
            { ...still, recipient: 'eve', state: 'read', attempts: 1 },
            { ...still, recipient: 'operator', state: 'delivered', attempts: 1 },
          ],
        })),
      },
    });
    const { stdout } = await runInProcess(['messages', 'show', message.id], { dataDir: core.dataDir });
    const rows = stdout.split('\n').map((line) => line.trim().split(/ +/));
    const rowOf = (recipient: string) => rows.find(([first]) => first === recipient)?.slice(1, 4);
    expect(rowOf('ada')).toEqual(['leased', '2', 'until']);
    expect(rowOf('ben')).toEqual(['queued', '0', 'handed']);
    expect(rowOf('cleo')).toEqual(['expired', '0']);
    expect(rowOf('dee')).toEqual(['dead', '10', 'attempts']);
    expect(rowOf('eve')).toEqual(['acknowledged', '1']);
    expect(rowOf('operator')).toEqual(['delivered', '1']);
  });

  it('are acknowledged only when asked for', async () => {
    const marked: unknown[] = [];
    const message = sampleMessage({ body: Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n') });
    const core = await withAnswers({
      messages: {
        inbox: script.messages.inbox.handler(() => ({ messages: [message, sampleMessage({ state: 'read' })], unread: 1 })),
        markRead: script.messages.markRead.handler(({ input }) => (marked.push(input), { marked: 1 })),
      },
    });
    const looked = await runInProcess(['inbox'], { dataDir: core.dataDir });
    expect(looked.stdout).toContain(`… 28 more lines: quarterdeck messages show ${message.id}`);
    expect(marked).toEqual([]);
    await runInProcess(['inbox', '--mark-read', '--json'], { dataDir: core.dataDir });
    expect(marked).toEqual([{ messageIds: [message.id] }]);
  });
});

describe('secrets', () => {
  it('come from standard input, without the line break that echo adds', async () => {
    const inputs: unknown[] = [];
    const core = await withAnswers({
      secrets: {
        set: script.secrets.set.handler(({ input }) => {
          inputs.push(input);
          return { name: input.name, projectId: mintId('prj') as never, createdAt: 1, updatedAt: 1 };
        }),
      },
    });
    const told = await runInProcess(['secrets', 'set', 'API_KEY'], { dataDir: core.dataDir, stdin: ' se cret\n' });
    expect(told).toMatchObject({ code: 0, stdout: 'API_KEY is kept.\n' });
    expect(inputs).toEqual([{ name: 'API_KEY', value: ' se cret' }]);
    expect((await runInProcess(['secrets', 'set', 'API_KEY'], { dataDir: core.dataDir, stdin: '\n' })).code).toBe(2);
    expect((await runInProcess(['secrets', 'set', 'API_KEY', 'on-the-command-line'], { dataDir: core.dataDir })).code).toBe(2);
  });
});

describe('a team file', () => {
  it('that is wrong is explained with file, line, field and what is allowed, before any core is asked', async () => {
    const folder = dataDir();
    writeFileSync(
      join(folder, 'team.yaml'),
      'name: crew\nagents:\n  - id: w1\n    type: wroker\n  - id: w2\n    type: worker\n    colour: red\n',
    );
    const told = await runInProcess(['up', 'team.yaml'], { dataDir: folder });
    expect(told.code).toBe(2);
    expect(told.stderr).toContain('team.yaml:4: "agents.0.type"');
    expect(told.stderr).toContain('"worker"|"command"');
    expect(told.stderr).toContain('team.yaml:7: "agents.1.colour" is not known here (allowed: id, type,');
    const missing = await runInProcess(['up', 'no.yaml'], { dataDir: folder });
    expect(missing.code).toBe(5);
  });
});

describe('completion', () => {
  it('completes commands, options and agents in bash', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qd-completion-'));
    folders.push(folder);
    const { stdout } = await runInProcess(['completion', 'bash'], { dataDir: folder });
    const file = join(folder, 'completion.bash');
    writeFileSync(file, stdout);
    const complete = (line: string): string[] =>
      execFileSync(
        'bash',
        [
          '-c',
          `source "$1"; quarterdeck() { echo w1; echo w2; }; compopt() { :; }; COMP_WORDS=($2); [[ $2 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _quarterdeck; printf '%s\\n' "\${COMPREPLY[@]}"`,
          'bash',
          file,
          line,
        ],
        { encoding: 'utf8' },
      )
        .trim()
        .split('\n');
    expect(complete('quarterdeck sp')).toEqual(['spawn']);
    expect(complete('quarterdeck agents re').toSorted()).toEqual(['remove', 'restart', 'resume']);
    expect(complete('quarterdeck agents stop --fo')).toEqual(['--force']);
    expect(complete('quarterdeck attach ')).toEqual(expect.arrayContaining(['w1', 'w2']));
    expect(complete('quarterdeck attach w')).toEqual(['w1', 'w2']);
  });

  it.each(['bash', 'zsh', 'fish'])('names every command for %s', async (shell) => {
    const { stdout } = await runInProcess(['completion', shell], { dataDir: dataDir() });
    for (const word of ['spawn', 'journal', 'verify', 'agent-mcp']) expect(stdout).toContain(word);
    expect(stdout).not.toMatch(/\bundefined\b/);
  });
});
