import { bootId } from '../linux/boot-id.ts';
import { isEndedState, type ProcessStat, readStat } from '../linux/procfs/stat.ts';

/**
 * One process among all that ever ran on this host: plain data that stays valid in a journal.
 *
 * A PID alone is only a number that the kernel hands out again. The start time tells two holders of one PID apart,
 * because all PIDs would have to be used up within one clock tick (10 ms) for it to repeat. It counts from boot, so
 * the boot id tells two boots apart.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTimeTicks: number;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
}

/**
 * What became of a process:
 * - `alive`: it runs, sleeps or is stopped;
 * - `zombie`: it has died and its parent has not asked how (state Z, X; see {@link isDead});
 * - `gone`: its PID belongs to nobody;
 * - `reused`: its PID belongs to somebody else;
 * - `rebooted`: the host was booted again since, so it is gone whatever its PID is today.
 */
export type ProcessState = 'alive' | 'zombie' | 'gone' | 'reused' | 'rebooted';

/** The identity of the process that this stat line was read from, in the running boot. */
export function identityOf(stat: Pick<ProcessStat, 'pid' | 'startTimeTicks'>): ProcessIdentity {
  return Object.freeze({ pid: stat.pid, startTimeTicks: stat.startTimeTicks, bootId: bootId() });
}

/** `process:4711:90210`: the key under which conflicts are found. Unique within one boot. */
export function identityKey(identity: ProcessIdentity): string {
  return `process:${identity.pid}:${identity.startTimeTicks}`;
}

/**
 * Has the process died already, though its PID is still taken?
 *
 * The state is that of the main thread. Where that one has exited and others go on, as it may, the kernel shows a
 * zombie, yet the process lives and heeds signals.
 */
export function isDead(stat: Pick<ProcessStat, 'state' | 'numThreads'>): boolean {
  return isEndedState(stat.state) && (stat.state !== 'Z' || stat.numThreads <= 1);
}

/**
 * Look what became of a process, now.
 *
 * The answer may be outdated at once. To act on a process, hold it with `openProcess`.
 */
export function currentState(identity: ProcessIdentity): ProcessState {
  if (identity.bootId !== bootId()) return 'rebooted';
  const stat = readStat(identity.pid);
  if (stat === undefined) return 'gone';
  if (stat.startTimeTicks !== identity.startTimeTicks) return 'reused';
  return isDead(stat) ? 'zombie' : 'alive';
}
