/** For tests of lines: a real gateway in a process of its own, told what a core would tell it, and told again by the next. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayAgent, GatewayLine } from '#shared/gateway/model.ts';
import { CONTROL_SOCKET } from '#shared/gateway/model.ts';
import { BOX } from '#shared/box/places.ts';
import { mintId, ProjectId } from '#shared/kernel/ids.ts';
import { GatewayControl } from '#core/egress/gateway-control.ts';
import { startGateway } from '#core/egress/gateway-process.ts';
import type { LaunchSpec } from '#core/runtimes/runtime.ts';
import { waitFor } from '#core/runtimes/testing/support.ts';

const CORE = 'core-of-a-test';
const PROJECT = ProjectId.parse(mintId('prj'));

/** A gateway for one test file. */
export class LineGateway {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'qdlg-'));
  readonly #control = new GatewayControl(join(this.folder, CONTROL_SOCKET));
  readonly #agents = new Map<string, GatewayAgent>();
  #agentUrl = 'http://127.0.0.1:9';

  /** The core's agent port, for calls on the agent interface. */
  setAgentUrl(url: string): void {
    this.#agentUrl = url;
  }

  /** Starts one, and tells it everything that was told before. */
  async start(): Promise<void> {
    await startGateway({
      argv: [process.execPath, new URL('../../../../guests/gateway/main.ts', import.meta.url).pathname],
      socketDir: this.folder,
      eventLog: join(this.folder, 'egress.jsonl'),
      logFile: join(this.folder, 'gateway.log'),
      version: '1.0.0',
      env: process.env,
    });
    await waitFor('the gateway answers', () => this.#control.status().catch(() => undefined), 30_000);
    await this.#control.own({
      coreId: CORE,
      startedAt: Date.now(),
      agentUrl: this.#agentUrl,
      word: 'a word that core and gateway know',
    });
    for (const agent of this.#agents.values()) await this.#control.putAgent(CORE, agent);
  }

  /** Process id of the one that lives. */
  async pid(): Promise<number> {
    return (await this.#control.status()).pid;
  }

  /** Has the box of a launch reached by a line, whose agent may connect to what the rules say. */
  lined(spec: LaunchSpec, rules: readonly string[] = []): LaunchSpec {
    const { box } = spec;
    const socketDir = box?.mounts.find((mount) => mount.target === BOX.sockets)?.source;
    if (box === undefined || socketDir === undefined) throw new Error('A box with sockets was asked for');
    const openLine = async (line: GatewayLine): Promise<void> => {
      const agent: GatewayAgent = {
        id: spec.agentId,
        projectId: PROJECT,
        socketDir,
        owner: box.user,
        mode: 'deny',
        rules: [...rules],
        modelApis: [],
        line,
      };
      this.#agents.set(spec.agentId, agent);
      await this.#control.putAgent(CORE, agent);
    };
    return { ...spec, box: { ...box, openLine } };
  }

  /** Serves an agent no more. */
  async drop(id: LaunchSpec['agentId']): Promise<void> {
    this.#agents.delete(id);
    await this.#control.removeAgent(CORE, id);
  }

  /** Ends it, if it lives, and removes its folder. */
  async close(): Promise<void> {
    const status = await this.#control.status().catch(() => undefined);
    if (status !== undefined) {
      process.kill(status.pid, 'SIGTERM');
      await waitFor('the gateway is gone', async () =>
        (await this.#control.status().catch(() => undefined)) === undefined ? true : undefined,
      );
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
