import { describeRuntime } from '../conformance.ts';
import { ContainerBench } from './testing/container-bench.ts';

const bench = new ContainerBench();

describeRuntime({
  name: 'docker',
  create: () => bench.runtime(),
  cleanUp: () => bench.cleanUp(),
  contained: {
    prepare: () => bench.prepare(),
    box: (spec) => bench.boxed(spec),
    node: '/usr/local/bin/node',
    // The engine's init, the box, tmux's server, the shim, the control client.
    ownProcesses: 6,
  },
});
