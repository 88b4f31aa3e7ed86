import { isEndedState, readStat } from './stat.ts';
import { listTasks, readTaskStat } from './tasks.ts';

/**
 * The state of a whole process, one letter as in proc_pid_stat(5), or undefined when it is gone.
 *
 * /proc/PID/stat tells the state of the main thread. Where that one has ended and others go on, it tells `Z` for a
 * process that lives; then the threads are asked: `T` or `t` when all that live are stopped, else what the first is.
 */
export function readProcessState(pid: number): string | undefined {
  const stat = readStat(pid);
  if (stat === undefined || stat.state !== 'Z' || stat.numThreads <= 1) return stat?.state;
  const states = (listTasks(pid) ?? [])
    .map((tid) => readTaskStat(pid, tid)?.state)
    .filter((state) => state !== undefined && !isEndedState(state));
  const running = states.find((state) => state !== 'T' && state !== 't');
  return running ?? states[0] ?? 'Z';
}
