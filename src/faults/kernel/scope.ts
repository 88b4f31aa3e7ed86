import { statSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { cgroupMembers, unifiedCgroupFolder } from '../../linux/cgroupfs.ts';
import { bootTimeMs, ticksPerSecond } from '../../linux/clock.ts';
import { readComm } from '../../linux/procfs/comm.ts';
import { readNamespace } from '../../linux/procfs/namespaces.ts';
import { isErrno } from '../../linux/syscall-error.ts';
import { parseCriteria } from '../../targets/criteria.ts';
import type { ProcessIdentity } from '../../targets/identity.ts';
import { selectProcesses } from '../../targets/select.ts';
import type { LeftOut, PlanContext } from '../fault.ts';
import type { KernelScope } from './spec.ts';

/** Who is hit, looked up. Plain JSON. */
export type PlannedScope =
  | { readonly kind: 'cgroup'; readonly folder: string; readonly inode: number }
  | ProcessesScope
  | { readonly kind: 'system' };

export interface ProcessesScope {
  readonly kind: 'processes';
  /** Those that they start, too. */
  readonly follow: boolean;
  readonly processes: readonly ScopedProcess[];
  /** When they were looked up, in clock ticks since boot as /proc shows start times. */
  readonly sinceTicks: number;
}

export interface ScopedProcess {
  readonly identity: ProcessIdentity;
  readonly comm: string;
}

export interface ChosenScope {
  readonly scope: PlannedScope;
  readonly leftOut: readonly LeftOut[];
  readonly matched: number;
}

function protectedError(problem: string, hint: string): FaultlineError {
  return new FaultlineError('GUARD_PROTECTED', problem, { hint });
}

/** Nothing of Faultline and not init may be in it: they would fail as all others do. */
function refuseOwn(folder: string): void {
  const members = cgroupMembers(folder);
  const shown = printable(folder);
  if (members.has(1)) throw protectedError(`init is in ${shown}`, 'choose a cgroup of the service that is meant');
  if (members.has(process.pid)) {
    throw protectedError(`this very command runs in ${shown}`, 'run it from another cgroup, or choose one below');
  }
  for (const pid of members) {
    if (readComm(pid)?.startsWith('faultline') === true) {
      throw protectedError(`Faultline (pid ${pid}) runs in ${shown}`, 'choose a cgroup without it');
    }
  }
}

function cgroupScope(path: string): ChosenScope {
  const folder = unifiedCgroupFolder(path);
  refuseOwn(folder);
  const { ino } = statSync(folder);
  return { scope: { kind: 'cgroup', folder, inode: ino }, leftOut: [], matched: 1 };
}

/** PROC_PID_INIT_INO of include/linux/proc_ns.h: the PID namespace in which programs see process numbers. */
const initialPidNamespace = 0xeffffffc;

function processScope(process: string, children: boolean, context: PlanContext): ChosenScope {
  if (readNamespace('self', 'pid') !== initialPidNamespace) {
    throw new FaultlineError('HOST_UNSUPPORTED', 'in a PID namespace of its own Faultline cannot name processes', {
      hint: 'the kernel knows them by other numbers: choose --cgroup, or run on the host itself',
    });
  }
  const { protection } = context;
  const sinceTicks = Math.floor((bootTimeMs() * ticksPerSecond()) / 1000);
  const { chosen, leftOut, matched } = selectProcesses(parseCriteria({ process, children }), { protection });
  const processes = chosen.map(({ identity, comm }) => ({ identity, comm }));
  return {
    scope: { kind: 'processes', follow: children, processes, sinceTicks },
    leftOut: leftOut.map(({ process: { identity, comm }, ...why }) => ({
      key: `process:${identity.pid}`,
      label: `pid ${identity.pid} (${comm})`,
      ...why,
    })),
    matched: matched.length,
  };
}

/**
 * Look up who is hit.
 *
 * @throws {FaultlineError} CGROUP_NOT_FOUND, PROCESS_NOT_FOUND, GUARD_PROTECTED, HOST_UNSUPPORTED
 */
export function chooseScope(scope: KernelScope, context: PlanContext): ChosenScope {
  switch (scope.kind) {
    case 'cgroup':
      return cgroupScope(scope.path);
    case 'processes':
      return processScope(scope.process, scope.children, context);
    case 'system':
      return { scope: { kind: 'system' }, leftOut: [], matched: 1 };
  }
}

/** Is the cgroup that was chosen still there? Another one of its name is not it. */
export function cgroupStands({ folder, inode }: PlannedScope & { readonly kind: 'cgroup' }): boolean {
  try {
    return statSync(folder).ino === inode;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'ENOTDIR')) return false;
    throw error;
  }
}

export function scopeText(scope: PlannedScope): string {
  switch (scope.kind) {
    case 'cgroup':
      return `in ${scope.folder}`;
    case 'processes':
      return scope.follow ? 'in the processes and those that they start' : 'in the processes';
    case 'system':
      return 'in every process of the host but init and Faultline';
  }
}
