/** For tests: launches in bubblewrap, with the real box guest and the real proof. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SocketDesk } from '#core/boundary/launch-desk.ts';
import { probeOf } from '#core/boundary/boundary-service.ts';
import { judge } from '#core/boundary/judge.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { BOX } from '#shared/box/places.ts';
import { SOCKETS } from '#shared/gateway/places.ts';
import type { BoxMount, BoxSpec, LaunchDesk, LaunchSpec } from '#core/runtimes/runtime.ts';
import { launchSpec } from '#core/runtimes/testing/support.ts';

const root = join(import.meta.dirname, '../../../../..');

/** The folder of the built guests; built when it is not there or older than its sources. */
export function builtGuests(): string {
  const folder = join(root, 'out', 'guests');
  execFileSync(process.execPath, [join(root, 'bin', 'build.mjs'), '--guests'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (!existsSync(join(folder, 'box.js'))) throw new Error('the guests were not built');
  return folder;
}

/** What a launch found. */
export interface BoxFacts {
  readonly checks: ProofCheck[];
  /** What was read back outside. */
  readonly outside?: ProofCheck[];
  tookMs: number;
}

/** A box in `folder`, which becomes the workspace; `facts` get what the probe found. */
export function boxIn(
  folder: string,
  spec: Omit<LaunchSpec, 'box'>,
  facts: BoxFacts,
  changes: { user?: BoxSpec['user']; mounts?: readonly BoxMount[]; hiddenTexts?: readonly string[] } = {},
): BoxSpec {
  const user = changes.user ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const [home, sockets] = [join(folder, '.box-home'), join(folder, '.box-sockets')];
  for (const path of [home, sockets]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const mounts: BoxMount[] = [
    { source: folder, target: BOX.workspace, isWritable: true },
    { source: home, target: BOX.home, isWritable: true },
    { source: sockets, target: BOX.sockets, isWritable: false },
    { source: builtGuests(), target: BOX.guests, isWritable: false },
    ...(changes.mounts ?? []),
  ];
  const probe = probeOf(
    { user, mounts, limits: null },
    {
      paths: [root, '/root/.ssh', '/etc/shadow'],
      addresses: [{ what: "the core's port", host: '127.0.0.1', port: 3000 }],
      texts: changes.hiddenTexts ?? [],
    },
  );
  const openDesk = (): Promise<LaunchDesk> =>
    SocketDesk.open({
      agentId: spec.agentId,
      socketPath: join(sockets, SOCKETS.launch),
      owner: user,
      probe,
      start: {
        argv: [...spec.argv],
        cwd: spec.cwd,
        env: spec.env,
        size: { ...spec.size },
        sideWindows: [],
        setup: spec.setup ?? null,
        keptLines: 100,
      },
      decide: ({ inside, outside, problem }) => {
        facts.checks.push(...(inside?.checks ?? []));
        facts.outside?.push(...outside);
        facts.tookMs = inside?.tookMs ?? 0;
        if (inside === undefined) return Promise.resolve({ holds: false, problem: problem ?? 'nothing came' });
        return Promise.resolve(judge({ boundary: 'bubblewrap', probe, inside: inside.checks, outside }));
      },
    });
  return { boundary: 'bubblewrap', image: undefined, user, mounts, openDesk };
}

/** A launch in such a box. `cwd` is inside. */
export function boxedSpec(
  folder: string,
  argv: readonly string[],
  facts: BoxFacts,
  changes: Partial<LaunchSpec> & Parameters<typeof boxIn>[3] = {},
): LaunchSpec {
  const spec = launchSpec(argv, {
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: BOX.home, LANG: 'C.UTF-8' },
    ...changes,
    cwd: BOX.workspace,
  });
  return { ...spec, box: boxIn(folder, spec, facts, changes) };
}
