import { cgroupMembers } from '../../../linux/cgroupfs.ts';
import { markedTasks, readMark, type TaskMark, tasksOf, writeMark } from '../../../linux/fault-injection.ts';
import { isEndedState, readStat } from '../../../linux/procfs/stat.ts';
import { currentState } from '../../../targets/identity.ts';
import type { PlannedScope } from '../scope.ts';

/*
 * The threads that may fail. A thread hands its mark on to those that it starts, processes and threads.
 */

function processesOf(scope: PlannedScope): readonly number[] {
  switch (scope.kind) {
    case 'cgroup':
      return [...cgroupMembers(scope.folder)];
    case 'processes':
      return scope.processes.flatMap(({ identity }) => (currentState(identity) === 'alive' ? [identity.pid] : []));
    case 'system':
      return [];
  }
}

/** The marks of a process that has ended, or is about to, mean nothing. */
function isRunning(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== undefined && !isEndedState(stat.state);
}

/** One mark for each that has none yet. @returns how many there were */
function markOnce(scope: PlannedScope, mark: TaskMark, value: number, done: Set<string>): number {
  let marked = 0;
  for (const pid of processesOf(scope).filter(isRunning)) {
    for (const task of tasksOf(pid)) {
      const key = `${task.pid}:${task.tid}`;
      if (done.has(key)) continue;
      done.add(key);
      if ((readMark(task, mark) ?? value) !== 0) continue;
      if (writeMark(task, mark, value)) marked += 1;
    }
  }
  return marked;
}

/**
 * Mark all threads in scope, until no unmarked one is found: while this goes on, those that are not marked yet may
 * start others.
 *
 * @returns how many were marked
 */
export function markTasks(scope: PlannedScope, mark: TaskMark, value: number): number {
  const done = new Set<string>();
  let marked = 0;
  for (;;) {
    const more = markOnce(scope, mark, value, done);
    if (more === 0) return marked;
    marked += more;
  }
}

/** Take the marks off all threads: nobody else had any when they were made, and children have got theirs since. */
export function unmarkTasks(): void {
  for (const mark of ['make-it-fail', 'fail-nth'] as const) {
    // Until none is left: one that was marked still may have started another meanwhile.
    for (let tries = 0; tries < 5; tries += 1) {
      const marked = markedTasks(mark);
      if (marked.length === 0) break;
      for (const task of marked) writeMark(task, mark, 0);
    }
  }
}
