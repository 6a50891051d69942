/** Agents in containers that see no socket of the host: all they say goes through a line, made by a real gateway. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import Docker from 'dockerode';
import { isDeep } from '#e2e/support/effort.ts';
import { BOX_LINE } from '#shared/box/places.ts';
import { describeRuntime } from '#core/runtimes/conformance.ts';
import type { Run } from '#core/runtimes/runtime.ts';
import { agentId, launchSpec, removeFolder, scratchFolder, waitFor } from '#core/runtimes/testing/support.ts';
import { ContainerBench } from './testing/container-bench.ts';
import { ENGINE_MISSING } from './testing/find-engine.ts';
import { LineGateway } from './testing/line-gateway.ts';
import { DockerRuntime } from './docker-runtime.ts';
import { IMAGE_SOURCE } from './testing/agent-image.ts';
import { agentImageName } from './agent-image.ts';
import { reachesSockets } from './socket-try.ts';

const NODE = '/usr/local/bin/node';
const FLOOD_BYTES = 40 * 2 ** 20;
const TEST_MS = 120_000;

/** Runs inside: answers every line of a file `ask` with a line in `told`. */
const CALLER = `
const fs=require('fs'),http=require('http');let n=0;
const ask=()=>{const r=http.get({host:'127.0.0.1',port:3100,path:'/mcp',agent:false},(a)=>{let t='';a.on('data',d=>t+=d);a.on('end',()=>tell(a.statusCode+' '+t))});r.on('error',e=>tell(e.code))};
const tell=(t)=>{fs.appendFileSync('told',(++n)+' '+t.trim()+'\\n');setTimeout(ask,50)};ask();`;

/** Runs inside: a tunnel that nobody reads, beside it one that is read to its end; says the digest of what came. */
const READER = (port: number): string => `
const net=require('net'),fs=require('fs'),crypto=require('crypto');
const open=(path,then)=>{const s=net.connect(3128,'127.0.0.1',()=>s.write('CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\n\\r\\n'));
let head=Buffer.alloc(0);const take=(d)=>{head=Buffer.concat([head,d]);const at=head.indexOf('\\r\\n\\r\\n');if(at<0)return;s.off('data',take);s.pause();then(s,head.subarray(0,12).toString(),head.subarray(at+4))};s.on('data',take)};
open('stalled',(stalled,status)=>{stalled.write('flood');stalled.pause();
open('read',(s,code,first)=>{const h=crypto.createHash('sha256');let n=0;const take=(d)=>{h.update(d);n+=d.length};take(first);s.on('data',take);
s.on('end',()=>fs.writeFileSync('read.json',JSON.stringify({status,code,n,digest:h.digest('hex')})));s.write('file');s.resume()})});setInterval(()=>0,1000);`;

describe.skipIf(ENGINE_MISSING)(`agents whose sockets come through a line${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  const bench = new ContainerBench();
  let gateway: LineGateway;
  let runtime: DockerRuntime;
  let folder: string;
  let core: Server;
  const runs: Run[] = [];

  beforeAll(async () => {
    await bench.prepare();
    core = createHttpServer((_request, response) => response.end('the core'));
    core.listen(0, '127.0.0.1');
    await once(core, 'listening');
  }, 180_000);

  afterAll(() => core.close());

  beforeEach(async () => {
    folder = scratchFolder();
    gateway = new LineGateway();
    gateway.setAgentUrl(`http://127.0.0.1:${(core.address() as AddressInfo).port}`);
    await gateway.start();
    runtime = bench.runtime({ sockets: 'line' });
  });

  afterEach(async () => {
    await Promise.all(runs.splice(0).map((run) => run.stop(0)));
    await bench.cleanUp();
    await gateway.close();
    removeFolder(folder);
  }, 60_000);

  async function launch(argv: readonly string[], rules: readonly string[] = []): Promise<Run> {
    const spec = bench.boxed(launchSpec(argv, { cwd: folder }));
    const run = await runtime.launch(gateway.lined(spec, rules));
    runs.push(run);
    return run;
  }
  const told = (): string[] => {
    try {
      return readFileSync(join(folder, 'told'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  const answered = async (after: number): Promise<void> => {
    await waitFor(
      'an answer of the core',
      () =>
        told()
          .slice(after)
          .some((line) => line.endsWith('200 the core')),
      60_000,
    );
  };
  const inside = async (script: string): Promise<string> => {
    const [run] = runs;
    if (run === undefined) throw new Error('nothing runs');
    const [one] = await bench.docker.listContainers({ filters: { label: [`app.quarterdeck.instance=${bench.instanceId}`] } });
    const exec = await bench.docker
      .getContainer(one?.Id ?? '')
      .exec({ Cmd: ['sh', '-c', script], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({});
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    await once(stream, 'end');
    return text;
  };

  it('prove themselves, see no folder of the host’s sockets, and reach the core', { timeout: TEST_MS }, async () => {
    const run = await launch([NODE, '-e', CALLER]);
    await answered(0);
    expect(run.socketLine?.container).toMatch(/^[0-9a-f]{64}$/);
    const proof = bench.proofs.at(-1);
    expect(proof?.problem).toBeNull();
    expect(
      proof?.inside
        .find(({ id }) => id === 'own-sockets')
        ?.found.split(', ')
        .sort(),
    ).toEqual(['agent.sock', 'egress.sock', 'launch.sock']);
    expect(proof?.inside.find(({ id }) => id === 'processes')).toMatchObject({ outcome: 'held' });
    expect(await inside('ls /run/quarterdeck 2>&1; ls -ld /tmp/.quarterdeck-line')).toMatch(/No such file[^]*drwx------/);
  });

  it('bring 40 MB through a line beside a stream that nobody reads', { timeout: TEST_MS }, async () => {
    const file = randomBytes(FLOOD_BYTES);
    let flooded = 0;
    const world = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (asked) => {
        if (asked.toString() === 'file') return void socket.end(file);
        const more = (): void => {
          while (socket.writable && flooded < FLOOD_BYTES) {
            flooded += 65_536;
            if (!socket.write(Buffer.alloc(65_536))) return void socket.once('drain', more);
          }
        };
        more();
      });
    });
    world.listen(0, '127.0.0.1');
    await once(world, 'listening');
    const { port } = world.address() as AddressInfo;
    await launch([NODE, '-e', READER(port)], [`127.0.0.1:${port}:tcp`]);
    const read = await waitFor(
      'the file is read',
      () => {
        try {
          return JSON.parse(readFileSync(join(folder, 'read.json'), 'utf8')) as unknown;
        } catch {
          return undefined;
        }
      },
      90_000,
    );
    expect(read).toEqual({
      status: 'HTTP/1.1 200',
      code: 'HTTP/1.1 200',
      n: FLOOD_BYTES,
      digest: createHash('sha256').update(file).digest('hex'),
    });
    // What nobody reads stays where it is: in the buffers on the way, which are bounded.
    expect(flooded).toBeLessThan(FLOOD_BYTES);
    await Promise.all(runs.splice(0).map((run) => run.stop(0)));
    world.close();
  });

  it('get their line again from the next gateway, and when somebody inside ends it', { timeout: TEST_MS }, async () => {
    await launch([NODE, '-e', CALLER]);
    await answered(0);
    const killed = await gateway.pid();
    process.kill(killed, 'SIGKILL');
    await waitFor('calls fail', () => told().some((line) => !line.endsWith('200 the core')));
    await gateway.start();
    await answered(told().length);
    expect(await gateway.pid()).not.toBe(killed);
    // The brackets keep the shell that looks from finding itself.
    const ofLine = async (command: string): Promise<string | undefined> =>
      /\d+(?=\n)/.exec(
        await inside(
          `for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q -e '[-]-line ${BOX_LINE.folder}' && ${command} \${p#/proc/}; done`,
        ),
      )?.[0];
    const first = await ofLine('echo');
    expect(first).toBeDefined();
    await ofLine('kill -9');
    await vi.waitFor(async () => expect([undefined, first]).not.toContain(await ofLine('echo')), {
      timeout: 30_000,
      interval: 100,
    });
    await answered(told().length);
  });

  it('keep their line while they are paused, and are found again with it', { timeout: TEST_MS }, async () => {
    const run = await launch([NODE, '-e', CALLER]);
    await answered(0);
    await run.pause();
    await run.resume();
    await answered(told().length);
    expect(told().filter((line) => !line.endsWith('200 the core'))).toEqual([]);
    await runtime.close();
    const next = bench.runtime();
    const [adopted] = await next.adopt(new Set([agentId('agent-1')]));
    runs.splice(0, 1, ...(adopted === undefined ? [] : [adopted]));
    expect(adopted?.socketLine).toEqual(run.socketLine);
    await answered(told().length);
  });

  it('leave nothing behind: the line ends with the container, and with the gateway’s service', { timeout: TEST_MS }, async () => {
    const run = await launch([NODE, '-e', CALLER]);
    await answered(0);
    await gateway.drop(run.agentId);
    await vi.waitFor(async () => expect(await inside('cat /proc/[0-9]*/cmdline')).not.toContain('--line'), {
      timeout: 20_000,
      interval: 100,
    });
  });
});

// Everything else that a runtime does knows nothing of sockets: the whole suite over a line is for the long run.
if (isDeep && ENGINE_MISSING === undefined) {
  const bench = new ContainerBench();
  const gateway = new LineGateway();
  afterAll(() => gateway.close());
  describeRuntime({
    name: 'docker, its sockets through a line',
    create: () => bench.runtime({ sockets: 'line' }),
    cleanUp: () => bench.cleanUp(),
    contained: {
      prepare: async () => {
        await bench.prepare();
        await gateway.start();
      },
      box: (spec) => gateway.lined(bench.boxed(spec)),
      node: NODE,
      // The engine's init, the box, the line's end, tmux's server, the shim, the control client.
      ownProcesses: 7,
    },
  });
}

describe.skipIf(ENGINE_MISSING)('whether sockets can be mounted', () => {
  it('is tried with a container, which is removed', { timeout: TEST_MS }, async () => {
    const bench = new ContainerBench();
    await bench.prepare();
    const folder = scratchFolder();
    const { reference } = await agentImageName(IMAGE_SOURCE);
    expect(await reachesSockets(bench.docker, reference, folder)).toBe(true);
    const tries = await bench.docker.listContainers({ all: true, filters: { label: ['app.quarterdeck.try'] } });
    // Others' tests may be trying at this moment.
    expect(tries.filter(({ Mounts }) => Mounts.some(({ Source }) => Source.startsWith(folder)))).toEqual([]);
    removeFolder(folder);
  });
});

it('an engine on another machine is refused with the reason', async () => {
  const log = (): void => undefined;
  const connect = (): Docker => new Docker({ protocol: 'http', host: '192.0.2.1', port: 2375 });
  const runtime = new DockerRuntime({ instanceId: 'x', source: IMAGE_SOURCE, log, connect });
  expect(await runtime.probe()).toMatchObject({
    isAvailable: false,
    problem: expect.stringContaining('over a network') as unknown,
  });
  await runtime.close();
});
