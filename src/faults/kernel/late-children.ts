import { listPids } from '../../linux/procfs/process-list.ts';
import { type ProcessStat, readStat } from '../../linux/procfs/stat.ts';
import { currentState } from '../../targets/identity.ts';
import type { ProcessesScope } from './scope.ts';

/*
 * Between the moment in which the processes in scope are looked up and that from which the kernel tells of each that
 * they start, they may start others.
 */

/** A process as the map of those in scope has it. */
export type StartedProcess = Pick<ProcessStat, 'pid' | 'startTimeTicks'>;

/** Those that were started by processes in scope since these were looked up, and by those in turn. */
export function lateChildren({ processes, sinceTicks }: ProcessesScope): readonly StartedProcess[] {
  const known = new Set(
    processes.flatMap(({ identity }) => (currentState(identity) === 'alive' ? [identity.pid] : [])),
  );
  // What is older was seen, and left out if it is not known. Parents come before their children.
  const young = listPids()
    .flatMap((pid) => readStat(pid) ?? [])
    .filter(({ pid, startTimeTicks }) => startTimeTicks >= sinceTicks && !known.has(pid))
    .toSorted((one, other) => one.startTimeTicks - other.startTimeTicks || one.pid - other.pid);
  return young.filter(({ pid, ppid }) => known.has(ppid) && known.add(pid));
}
