import { ContainerBench } from '/work/main/src-main/core/runtimes/docker/testing/container-bench.ts';
import { launchSpec, scratchFolder, waitForScreen, collect } from '/work/main/src-main/core/runtimes/testing/support.ts';
const bench = new ContainerBench();
await bench.prepare();
const rt = bench.runtime();
console.log(await rt.probe());
const folder = scratchFolder();
try {
  const t0 = performance.now();
  const run = await rt.launch(
    bench.boxed(launchSpec(['/bin/sh', '-c', 'echo hello from $$; id; env; read x; exit 42'], { cwd: folder })),
  );
  console.log('launched', performance.now() - t0, run.pid, run.attachCommand);
  console.log(await waitForScreen(run, 'hello'));
  console.log(await run.stats());
  const s = await run.attach({ cols: 80, rows: 24 });
  const c = collect(s);
  await new Promise((r) => setTimeout(r, 500));
  console.log(JSON.stringify(c.text()));
  s.write(Buffer.from('x\r'));
  console.log(await run.ended);
  console.log(await run.capture({ historyLines: 10, ansi: false }));
  await run.discard();
} catch (e) {
  console.log(e);
}
console.log(JSON.stringify(bench.proofs.at(-1), null, 1));
console.log(bench.notes);
await bench.cleanUp();
