/**
 * Whether a container can reach a Unix socket of this machine through a folder that is mounted into it. Where the engine runs in
 * a virtual machine it cannot, whatever the engine calls itself; so it is tried, once for each engine.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type Docker from 'dockerode';
import * as z from 'zod';
import { askEngine } from './engine-deadline.ts';
import { userProcesses } from './user-processes.ts';
import { describeEngine } from './engine.ts';
import { removeContainer } from './remove-container.ts';

/** On the container that tries: nobody adopts it. */
const TRY_LABEL = 'app.quarterdeck.try';
const TARGET = '/mnt';
const NAME = 's';
/** How long the container may take, in milliseconds. */
const TRY_MS = 60_000;
/** What the program inside says by its exit code. */
const REACHED = 0;
const NOT_REACHED = 7;

const PROGRAM = `const s=require('net').connect('${TARGET}/${NAME}');s.setTimeout(10000,()=>process.exit(${NOT_REACHED}));
s.on('error',(e)=>{console.error(e.code);process.exit(${NOT_REACHED})});s.on('data',(d)=>process.exit(String(d)===process.argv[1]?${REACHED}:${NOT_REACHED}));`;

/**
 * Tries it with a throw-away container of the image, which has Node. Rejects when the container cannot be made or does not
 * answer: nothing is known then.
 */
export async function reachesSockets(docker: Docker, image: string, folder: string): Promise<boolean> {
  const place = await mkdtemp(join(folder, 'try-'));
  const word = Math.random().toString(36).slice(2);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(word);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(join(place, NAME), resolve);
    });
    // Whether it can be reached is the question, not by whom; the word is worth nothing to anybody.
    await chmod(place, 0o755);
    await chmod(join(place, NAME), 0o666);
    return await tryInside(docker, image, place, word);
  } finally {
    server.close();
    await rm(place, { recursive: true, force: true });
  }
}

async function tryInside(docker: Docker, image: string, place: string, word: string): Promise<boolean> {
  const processes = await userProcesses(await describeEngine(docker));
  const options = {
    Image: image,
    User: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    Entrypoint: ['node', '-e', PROGRAM, word],
    Cmd: [],
    Labels: { [TRY_LABEL]: '' },
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Mounts: [{ Type: 'bind' as const, Source: place, Target: TARGET, ReadOnly: true }],
      ...(processes === undefined ? {} : { Ulimits: [{ Name: 'nproc', Soft: processes, Hard: processes }] }),
    },
  };
  const container = await askEngine('make the container that tries sockets', (abortSignal) =>
    docker.createContainer({ ...options, abortSignal }),
  );
  try {
    await askEngine('start the container that tries sockets', (abortSignal) => container.start({ abortSignal }));
    const ended: unknown = await container.wait({ abortSignal: AbortSignal.timeout(TRY_MS), condition: 'not-running' });
    const { StatusCode: code } = z.object({ StatusCode: z.number() }).parse(ended);
    if (code !== REACHED && code !== NOT_REACHED) throw new Error(`the container that tries sockets ended with code ${code}`);
    return code === REACHED;
  } finally {
    await removeContainer(container).catch(() => undefined);
  }
}
