import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { listPids } from './procfs/process-list.ts';
import { listTasks } from './procfs/tasks.ts';
import { isErrno } from './syscall-error.ts';

/*
 * The kernel's own fault injection, Documentation/fault-injection/fault-injection.rst: a folder of debugfs for each
 * kind of failure, and two marks of each thread in /proc.
 */

export type FaultCapability = 'failslab' | 'fail_page_alloc' | 'fail_make_request';

const folder = '/sys/kernel/debug';

export function attributeFile(capability: FaultCapability, name: string): string {
  return `${folder}/${capability}/${name}`;
}

/** Can it be set up here? */
export function hasCapability(capability: FaultCapability): boolean {
  return existsSync(attributeFile(capability, 'task-filter')) && existsSync('/proc/self/make-it-fail');
}

/** What a file of a setting holds; undefined: this kernel has no such setting. */
export function readSetting(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return undefined;
    throw error;
  }
}

/** @returns false: there is no such setting, any more */
export function writeSetting(file: string, value: string): boolean {
  try {
    // Not made where it is not there: it is the kernel's.
    writeFileSync(file, value, { flag: 'r+' });
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return false;
    throw error;
  }
}

/** Whether requests to a disk may fail, for each disk: block/blk-core.c, `should_fail_bio`. */
export function requestSettings(): readonly string[] {
  return readdirSync('/sys/block')
    .map((name) => `/sys/block/${name}/make-it-fail`)
    .filter((file) => existsSync(file));
}

/** `make-it-fail`: it may fail where the task filter is on; `fail-nth`: the call after so many others will. */
export type TaskMark = 'make-it-fail' | 'fail-nth';

export interface TaskNumber {
  readonly pid: number;
  readonly tid: number;
}

const markFile = ({ pid, tid }: TaskNumber, mark: TaskMark): string => `/proc/${pid}/task/${tid}/${mark}`;

/** @returns undefined: the thread has ended, or its kernel has no such mark */
export function readMark(task: TaskNumber, mark: TaskMark): number | undefined {
  try {
    return Number(readFileSync(markFile(task, mark), 'latin1'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** @returns false: the thread has ended */
export function writeMark(task: TaskNumber, mark: TaskMark, value: number): boolean {
  try {
    writeFileSync(markFile(task, mark), String(value), { flag: 'r+' });
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return false;
    throw error;
  }
}

/** The threads of a process now; none where it has ended. */
export function tasksOf(pid: number): readonly TaskNumber[] {
  return (listTasks(pid) ?? []).map((tid) => ({ pid, tid }));
}

/** All threads that carry a mark. */
export function markedTasks(mark: TaskMark): readonly TaskNumber[] {
  return listPids()
    .flatMap(tasksOf)
    .filter((task) => (readMark(task, mark) ?? 0) > 0);
}
