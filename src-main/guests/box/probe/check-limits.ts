/** Limits as they are read back inside, in both kinds of cgroups. */
import { readFileSync } from 'node:fs';
import type { BoxProbe } from '#shared/box/model.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import type { Finding } from './check.ts';
import { broken, held, tryCheck, unknown } from './check.ts';

/** The limits that were asked for; those that were not are not looked at. */
export function checkLimits({ limits }: BoxProbe): ProofCheck[] {
  const checks: ProofCheck[] = [];
  const { memoryBytes, processes, openFiles, cpus } = limits;
  if (memoryBytes !== null) {
    checks.push(
      tryCheck('memory-limit', 'Use more memory', 'read memory.max of the cgroup', () =>
        compare(readNumber(['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']), memoryBytes, 'bytes'),
      ),
    );
  }
  if (processes !== null) {
    checks.push(
      tryCheck('process-limit', 'Start more processes', 'read pids.max of the cgroup', () =>
        compare(readNumber(['/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max']), processes, 'processes'),
      ),
    );
  }
  if (cpus !== null) {
    checks.push(tryCheck('cpu-limit', 'Use more CPU', 'read cpu.max of the cgroup', () => compare(readCpus(), cpus, 'cores')));
  }
  if (openFiles !== null) {
    checks.push(
      tryCheck('file-limit', 'Open more files', 'read the limits of this process', () => {
        const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
        return compare(hard === undefined ? undefined : Number(hard), openFiles, 'files');
      }),
    );
  }
  return checks;
}

/** The kernel rounds memory down to pages; nothing may be above what was asked for. */
function compare(found: number | undefined, wanted: number, unit: string): Finding {
  if (found === undefined) return unknown('no cgroup file tells');
  const text = Number.isFinite(found) ? `${found} ${unit}` : `no limit of ${unit}`;
  // A hundredth of a core is rounding of the quota.
  return found <= wanted * 1.001 ? held(text) : broken(`${text}, and ${wanted} were to be the most`);
}

/** The first file that is there: "max" is no limit. */
function readNumber(paths: readonly string[]): number | undefined {
  for (const path of paths) {
    const text = readText(path);
    if (text !== undefined) return text === 'max' ? Number.POSITIVE_INFINITY : Number(text);
  }
  return undefined;
}

function readCpus(): number | undefined {
  const both = readText('/sys/fs/cgroup/cpu.max');
  if (both !== undefined) {
    const [quota = 'max', period = '100000'] = both.split(' ');
    return quota === 'max' ? Number.POSITIVE_INFINITY : Number(quota) / Number(period);
  }
  for (const folder of ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct']) {
    const [quota, period] = [readText(`${folder}/cpu.cfs_quota_us`), readText(`${folder}/cpu.cfs_period_us`)];
    if (quota !== undefined && period !== undefined) {
      return Number(quota) < 0 ? Number.POSITIVE_INFINITY : Number(quota) / Number(period);
    }
  }
  return undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
