/** `open`, `status`, `doctor` and `shutdown`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import * as z from 'zod';
import type { SystemCheck } from '#shared/system/model.ts';
import { inheritedEnvironment } from '#core/agents/agent-launcher.ts';
import { runDoctor } from '#core/system/doctor.ts';
import { findLoginPath } from '#core/system/login-path.ts';
import { openInBrowser } from '#hosts/headless/open-browser.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, NoOptions } from '../command.ts';
import { CliError, ExitCode } from '../cli-error.ts';
import { isProcessAlive } from '../core-address.ts';
import { hasDisplay } from '../desktop.ts';
import type { Output, Style } from '../output.ts';
import { oneLine } from '../output.ts';
import { size, span } from '../times.ts';

/** A clean end waits for agents' connections and the last commits; stopping agents takes their grace time on top. */
const SHUTDOWN_DEADLINE_MS = 60_000;
const POLL_MS = 50;

async function open(call: Invocation<{ print: boolean }>): Promise<void> {
  const { out, io } = call;
  const link = await call.withCore((client) => client.auth.createLoginLink({}));
  const isOpening = !call.options.print && !out.isJson && hasDisplay(io.env) && (await openInBrowser(link.url));
  out.result(link, () => {
    out.line(link.url);
    out.note(isOpening ? 'Opened in the browser.' : 'Open this link in a browser: it logs one in, once, within ten minutes.');
  });
}

async function status(call: Invocation<unknown>): Promise<void> {
  const { out } = call;
  await call.withCore(async (client) => {
    const [info, stats] = await Promise.all([client.system.info({}), client.system.stats({})]);
    out.result({ isRunning: true, info, stats }, () => {
      const agents = Object.entries(stats.agents)
        .filter(([, count]) => count > 0)
        .map(([name, count]) => `${count} ${name}`);
      const rows: [string, string][] = [
        ['version', info.version],
        ['process', `${info.pid}, for ${span(stats.uptimeMs)}`],
        ['app', info.url],
        ['MCP', info.mcpUrl],
        ['agents connect to', info.agentMcpUrl],
        ['data', info.dataDir],
        ['agents', agents.join(', ') || 'none'],
        ['messages', `${stats.messages}, ${stats.unread} unread`],
        ['journal', `${stats.journalSeq} rows`],
        ['memory', size(stats.memoryBytes)],
        ['database', size(stats.store.databaseBytes)],
        ...info.runtimes.map((runtime): [string, string] => [
          runtime.kind,
          runtime.isAvailable
            ? `works${runtime.version === undefined ? '' : ` (${runtime.version})`}`
            : `${runtime.problem ?? 'does not work'}${runtime.remedy === undefined ? '' : `; ${runtime.remedy}`}`,
        ]),
      ];
      for (const [name, value] of rows) out.line(`${out.style(name.padEnd(19), 'dim')}${oneLine(value)}`);
    });
  });
}

const CHECK_STYLES: Readonly<Record<SystemCheck['state'], Style>> = {
  ok: 'good',
  needs: 'warn',
  missing: 'warn',
  failed: 'bad',
  optional: 'dim',
};

function printChecks(out: Output, checks: readonly SystemCheck[]): void {
  out.table(
    ['WHAT', 'STATE', 'DETAIL'],
    checks.map((check) => [check.title, { text: check.state, style: CHECK_STYLES[check.state] }, check.detail]),
    'Nothing was looked at.',
  );
  const gaps = checks.filter((check) => check.remedy !== null);
  for (const [heading, isOptional] of [
    ['What closes the gaps:', false],
    ['And if you want these, too:', true],
  ] as const) {
    const some = gaps.filter((check) => (check.state === 'optional') === isOptional);
    if (some.length === 0) continue;
    out.line();
    out.line(out.style(heading, 'dim'));
    for (const check of some) out.line(`  ${check.title}: ${check.remedy ?? ''}`);
  }
}

async function doctor(call: Invocation<unknown>): Promise<number> {
  const { out, io } = call;
  let isRunning = true;
  let result: { checks: SystemCheck[]; checkedAt: number };
  try {
    result = await call.withCore((client) => client.system.doctor({}));
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'NOT_RUNNING' || call.choice.url !== undefined) throw error;
    isRunning = false;
    result = {
      checks: await runDoctor({
        login: await findLoginPath(io.env),
        env: io.env,
        agentEnv: inheritedEnvironment(io.env),
        dataDir: call.dataDir,
      }),
      checkedAt: Date.now(),
    };
  }
  out.result({ isRunning, ...result }, () => {
    printChecks(out, result.checks);
    out.note(isRunning ? 'Quarterdeck is running.' : 'Quarterdeck is not running; this was looked at without it.');
  });
  return result.checks.some((check) => check.state === 'failed') ? ExitCode.failed : ExitCode.ok;
}

async function shutdown(call: Invocation<{ stopAgents: boolean }>): Promise<void> {
  const { out } = call;
  const { pid } = await call.withCore(async (client) => {
    const info = await client.system.info({});
    await client.system.shutdown({ stopAgents: call.options.stopAgents });
    return info;
  });
  // A core on another machine cannot be watched: there the answer has to do.
  const isLocal = call.choice.url === undefined;
  for (const deadline = Date.now() + SHUTDOWN_DEADLINE_MS; isLocal && isProcessAlive(pid); await sleep(POLL_MS)) {
    if (Date.now() > deadline)
      throw new CliError(
        'TIMEOUT',
        `Quarterdeck (process ${pid}) has been told to end and is still there after ${SHUTDOWN_DEADLINE_MS / 1_000} s.`,
      );
  }
  out.result({ isEnding: true, pid, hasEnded: isLocal }, () =>
    out.line(isLocal ? 'Quarterdeck has ended.' : 'Quarterdeck is ending.'),
  );
}

/** Adds `open`, `status`, `doctor` and `shutdown`. */
export function addSystemCommands(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'open',
    summary: 'Open the app in a browser, with a one-time login link',
    flags: [flag('--print', 'print the link only')],
    options: z.object({ print: z.boolean().default(false) }),
    run: open,
  }).alias('login');
  addCommand(program, host, { usage: 'status', summary: 'What runs, where, and how much', options: NoOptions, run: status });
  addCommand(program, host, {
    usage: 'doctor',
    summary: 'Look at this machine: what agents need, and the one command that closes each gap',
    details: 'Works with and without a running core.',
    options: NoOptions,
    run: doctor,
  });
  addCommand(program, host, {
    usage: 'shutdown',
    summary: 'End the core cleanly; agents in tmux go on',
    flags: [flag('--stop-agents', 'stop the agents first')],
    options: z.object({ stopAgents: z.boolean().default(false) }),
    run: shutdown,
  });
}
