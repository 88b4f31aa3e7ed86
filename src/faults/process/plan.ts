import { textOf } from '../../base/json.ts';
import { formatDuration } from '../../base/duration.ts';
import { FaultlineError } from '../../base/error.ts';
import { signalName } from '../../linux/signals.ts';
import { parseCriteria } from '../../targets/criteria.ts';
import { identityKey } from '../../targets/identity.ts';
import { type Selection, selectProcesses } from '../../targets/select.ts';
import type { TargetProcess } from '../../targets/target-process.ts';
import type { LeftOut, Plan, PlanContext, PlannedTarget } from '../fault.ts';
import { type SignalTarget, stops } from './signal-effect.ts';
import { type ProcessSpec, specToJson } from './spec.ts';

function labelOf(target: TargetProcess): string {
  return `pid ${target.identity.pid} (${target.comm})`;
}

function whatIsDone(spec: ProcessSpec): string {
  const name = signalName(spec.signal) ?? `signal ${spec.signal}`;
  return spec.graceMs === null ? name : `${name}, then SIGKILL after ${formatDuration(spec.graceMs)}`;
}

/** Would the kernel let us signal it? Signal 0 asks without doing anything; see kill(2). */
function doubtAbout(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return code === 'EPERM' ? 'not permitted to signal it (EPERM)' : undefined;
  }
}

function planned(target: TargetProcess, does: string): PlannedTarget {
  const doubt = doubtAbout(target.identity.pid);
  return {
    key: identityKey(target.identity),
    label: labelOf(target),
    does,
    about: {
      pid: target.identity.pid,
      startTimeTicks: target.identity.startTimeTicks,
      bootId: target.identity.bootId,
      comm: target.comm,
      ppid: target.ppid,
      uid: target.uid,
      argv: target.argv,
      state: target.state,
    },
    ...(doubt === undefined ? {} : { doubt }),
  };
}

/** Read back from the plan what is needed to signal the target. */
export function signalTargetOf(target: PlannedTarget): SignalTarget {
  const { pid, startTimeTicks, bootId, comm, uid, ppid } = target.about;
  return {
    planned: target,
    identity: { pid: Number(pid), startTimeTicks: Number(startTimeTicks), bootId: textOf(bootId) },
    comm: textOf(comm),
    uid: Number(uid),
    ppid: Number(ppid),
  };
}

function notesOf(spec: ProcessSpec, seed: string, chosen: number, matched: number): readonly string[] {
  const notes: string[] = [];
  if (spec.criteria['mode'] !== undefined && chosen < matched) notes.push(`chosen at random with --seed ${seed}`);
  if (spec.intervalMs !== null) notes.push(`looked for again every ${formatDuration(spec.intervalMs)}`);
  if (spec.recoverCmd !== null) notes.push('on recovery the recover command is run by sh -c');
  return notes;
}

/** With `--children`, descendants are hit that no criterion matched; they count as matched all the same. */
function descendantCount({ matched, chosen }: Selection): number {
  const roots = new Set(matched.map(({ identity }) => identityKey(identity)));
  return chosen.filter(({ identity }) => !roots.has(identityKey(identity))).length;
}

/** A stopped process and a recover command are left to undo. */
function sustains({ signal, recoverCmd }: ProcessSpec): boolean {
  return stops(signal) || recoverCmd !== null;
}

/** Does it go on until it is recovered? What is repeated does, too. */
export function lasts(spec: ProcessSpec): boolean {
  return sustains(spec) || spec.intervalMs !== null;
}

/**
 * Choose the processes, as the criteria and the mode say, and what will be done to each.
 *
 * @throws {FaultlineError} PROCESS_NOT_FOUND, CGROUP_NOT_FOUND, USER_UNKNOWN
 */
export function planProcesses(action: string, spec: ProcessSpec, context: PlanContext): Plan {
  const criteria = parseCriteria(spec.criteria);
  // Each round draws anew, and the whole run can be repeated from its one seed.
  const seed = context.round === 0 || criteria.seed === undefined ? criteria.seed : `${criteria.seed}:${context.round}`;
  const selection = selectProcesses(criteria, {
    protection: context.protection,
    ...(seed === undefined ? {} : { seed }),
  });
  if (spec.intervalMs !== null && stops(spec.signal)) {
    throw new FaultlineError('ARGUMENT_INVALID', '--interval means nothing with a signal that stops', {
      hint: 'leave --interval out; a stopped process stays stopped',
    });
  }
  const does = whatIsDone(spec);
  const leftOut: readonly LeftOut[] = selection.leftOut.map(({ process: target, ...why }) => ({
    key: identityKey(target.identity),
    label: labelOf(target),
    ...why,
  }));
  return {
    kind: 'process',
    action,
    targets: selection.chosen.map((target) => planned(target, does)),
    leftOut,
    matched: selection.matched.length + descendantCount(selection),
    sustained: sustains(spec),
    ...(spec.intervalMs === null ? {} : { repeatMs: spec.intervalMs }),
    notes: notesOf(spec, selection.seed, selection.chosen.length, selection.matched.length),
    data: { spec: specToJson(spec), seed: selection.seed },
  };
}
