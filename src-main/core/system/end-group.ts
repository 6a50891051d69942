/**
 * Ends a process group that took too long. Asked first: a login shell that is killed in the midst of its start files leaves
 * their locks behind (pyenv's keeps every later shell waiting for a minute). Forced when it does not listen.
 */

/** How long a group may take to end by itself, in milliseconds. */
const GRACE_MS = 1_000;
const POLL_MS = 50;

/** Signals the group of a leader; false when nobody is left in it. Signal 0 only asks. */
function signal(leader: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, name);
    return true;
  } catch {
    return false;
  }
}

/** Begins to end the group and returns at once; within `GRACE_MS` it is over, and the process may end. */
export function endGroup(leader: number | undefined): void {
  if (leader === undefined || !signal(leader, 'SIGTERM')) return;
  const deadline = performance.now() + GRACE_MS;
  const timer = setInterval(() => {
    if (signal(leader, 0) && performance.now() < deadline) return;
    clearInterval(timer);
    signal(leader, 'SIGKILL');
  }, POLL_MS);
}
