import { bindFunction } from './libc.ts';
import type { ProcessStat } from './procfs/stat.ts';

const clockGettime = bindFunction('clock_gettime', 'int', ['int', 'pointer']);
const sysconf = bindFunction('sysconf', 'long', ['int']);

/** include/uapi/linux/time.h */
const CLOCK_BOOTTIME = 7;
/** The same in glibc's bits/confname.h and musl's unistd.h. */
const SC_CLK_TCK = 2;

/** struct timespec: seconds and nanoseconds, eight bytes each on 64-bit. */
const time = new BigInt64Array(2);

/**
 * Milliseconds since boot, with a fraction: CLOCK_BOOTTIME, clock_gettime(2).
 *
 * It never goes back, nobody can set it, it goes on while the machine is suspended, and processes' start times count
 * from the same zero. Comparable between processes, but only within one boot (`bootId`).
 */
export function bootTimeMs(): number {
  clockGettime(CLOCK_BOOTTIME, time);
  const [seconds = 0n, nanoseconds = 0n] = time;
  return Number(seconds) * 1e3 + Number(nanoseconds) / 1e6;
}

let ticks: number | undefined;

/** Clock ticks a second, the unit of times in /proc/PID/stat: 100 on every kernel that matters, but asked for. */
export function ticksPerSecond(): number {
  ticks ??= sysconf(SC_CLK_TCK);
  return ticks;
}

/** When a process started, in milliseconds on the clock of `bootTimeMs`; exact to a tick (10 ms), rounded down. */
export function startTimeMs(stat: Pick<ProcessStat, 'startTimeTicks'>): number {
  return (stat.startTimeTicks * 1000) / ticksPerSecond();
}
