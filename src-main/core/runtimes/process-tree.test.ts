import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { isRunning, listByPs, listProcesses, parseProcStat, readProcess } from './process-table.ts';
import { ProcessTree } from './process-tree.ts';
import { waitFor } from './testing/support.ts';

describe('the process table', () => {
  it('reads the kernel’s line, whatever the program is called', () => {
    const fields = '5 6 6 34818 6 4194560 100 0 0 0 250 50 0 0 20 0 1 0 98765 1000000 25 18446744073709551615';
    const info = parseProcStat(`42 (a) R (b c) S ${fields}`);
    expect(info).toMatchObject({ pid: 42, ppid: 5, sid: 6, state: 'S', startKey: '98765', cpuMs: 3000 });
    expect(info?.memoryBytes).toBe(25 * 4096);
    expect(parseProcStat('nonsense')).toBeUndefined();
  });

  it('finds itself, by /proc and by ps alike', () => {
    const own = readProcess(process.pid);
    expect(own).toMatchObject({ pid: process.pid, ppid: process.ppid });
    const byPs = listByPs(process.pid)[0];
    expect(byPs).toMatchObject({ pid: process.pid, ppid: process.ppid });
    expect(byPs?.startKey).toMatch(/\d\d:\d\d:\d\d \d{4}$/);
    expect(Math.abs((byPs?.cpuMs ?? 0) - (own?.cpuMs ?? 0))).toBeLessThan(2500);
    expect((byPs?.memoryBytes ?? 0) / (own?.memoryBytes ?? 1)).toBeCloseTo(1, 0);
    expect(listByPs().length).toBeGreaterThan(3);
    expect(listProcesses().some((info) => info.pid === process.pid)).toBe(true);
    expect(readProcess(2 ** 30)).toBeUndefined();
    expect(listByPs(2 ** 30)).toEqual([]);
    expect(isRunning(2 ** 30)).toBe(false);
  });
});

describe('ProcessTree', () => {
  const started: number[] = [];
  afterEach(() => {
    for (const pid of started.splice(0)) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // Ended by the test.
      }
    }
  });
  function start(script: string): number {
    const child = spawn('/bin/sh', ['-c', script], { stdio: 'ignore', detached: true });
    if (child.pid === undefined) throw new Error('not started');
    started.push(child.pid);
    return child.pid;
  }

  it('keeps knowing a member whose parent is gone', async () => {
    // The middle one ends when told to; its child has then another parent and, thanks to setsid, another session.
    const pid = start(
      `${process.execPath} -e "require('child_process').spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref(); setTimeout(() => {}, 1e6)" & wait`,
    );
    const tree = new ProcessTree({ pid });
    const members = await waitFor('three members', () => {
      const found = tree.members();
      return found.length === 3 && found.some((info) => info.sid !== pid) && found;
    });
    const middle = members.find((info) => info.ppid === pid);
    const last = members.find((info) => info.ppid === middle?.pid);
    process.kill(middle?.pid ?? 0, 'SIGKILL');
    await waitFor('the orphan', () => readProcess(last?.pid ?? 0)?.ppid !== middle?.pid);
    expect(tree.members().map((info) => info.pid)).toContain(last?.pid);
    expect(await tree.kill()).toEqual([]);
    expect(isRunning(last?.pid ?? 0)).toBe(false);
    expect(isRunning(pid)).toBe(false);
    expect(tree.hasSurvivors()).toBe(false);
    expect(await tree.stats()).toBeUndefined();
  });

  it('kills what keeps starting processes', async () => {
    const pid = start('while :; do sleep 0.05 & sleep 0.01; done');
    const tree = new ProcessTree({ pid });
    await waitFor('some', () => tree.members().length > 3);
    await tree.pause();
    expect(tree.isStopped()).toBe(true);
    expect(tree.members().every((info) => info.state === 'T')).toBe(true);
    await tree.resume();
    expect(await tree.kill()).toEqual([]);
    expect(listProcesses().filter((info) => info.sid === pid && info.state !== 'Z')).toEqual([]);
  });

  it('stops who waits for a child to become another program, whenever that is stopped', async () => {
    // A shell lends its memory to the child (vfork) and cannot even be stopped until the child has become the program.
    const pid = start('while :; do /bin/true; done');
    const tree = new ProcessTree({ pid });
    for (let round = 0; round < 20; round += 1) {
      await tree.pause();
      expect(tree.isStopped()).toBe(true);
      await tree.resume();
    }
    expect(await tree.kill()).toEqual([]);
  });

  it('takes nobody for an agent that had ended before', async () => {
    const pid = start('sleep 1000 & wait');
    await waitFor('both', () => new ProcessTree({ pid }).members().length === 2);
    const tree = new ProcessTree({ pid, hasEnded: true });
    expect(tree.members()).toEqual([]);
    expect(tree.isRootRunning()).toBe(false);
    expect(await tree.kill()).toEqual([]);
    expect(isRunning(pid)).toBe(true);
  });

  it('never signals the core, nor what was spared', () => {
    const pid = start('sleep 1000 & sleep 1000 & wait');
    const own = new ProcessTree({ pid: process.pid });
    expect(own.members().map((info) => info.pid)).not.toContain(process.pid);
    const spared = new ProcessTree({ pid, spared: [pid] });
    expect(spared.members().map((info) => info.pid)).not.toContain(pid);
  });
});
