import { FaultlineError } from '../../../base/error.ts';
import { type JsonObject, toJson } from '../../../base/json.ts';
import { formatSize } from '../../../base/size.ts';
import { count, printable } from '../../../base/text.ts';
import { parseCriteria } from '../../../targets/criteria.ts';
import { identityKey } from '../../../targets/identity.ts';
import { type ProcessTable, readProcessTable } from '../../../targets/process-table.ts';
import { selectProcesses } from '../../../targets/select.ts';
import { summaryOf, type TargetProcess, targetOf } from '../../../targets/target-process.ts';
import type { Plan, PlanContext, PlannedTarget } from '../../fault.ts';
import { type Room, roomOf } from './room.ts';
import type { OomSpec } from './spec.ts';

const labelOf = (target: TargetProcess): string => `pid ${target.identity.pid} (${target.comm})`;

function planned(target: TargetProcess, does: string, room: Room, role: 'victim' | 'group'): PlannedTarget {
  const { cgroup, limitBytes } = room;
  const { identity, comm, ppid, uid, argv, state } = target;
  const about = { ...identity, comm, ppid, uid, argv, state, role, cgroup, limitBytes };
  return { key: identityKey(identity), label: labelOf(target), does, about: toJson(about) as JsonObject };
}

/** With memory.oom.group all die: each of them is a target, and one that is protected protects them all. */
function companions(
  victim: TargetProcess,
  room: Room,
  table: ProcessTable,
  context: PlanContext,
): readonly PlannedTarget[] {
  if (!room.group) return [];
  return room.members.flatMap((pid) => {
    const summary = pid === victim.identity.pid ? undefined : summaryOf(table, pid);
    const target = summary === undefined ? undefined : targetOf(table, summary);
    if (summary === undefined || target === undefined) return [];
    const refusal = context.protection(summary, table);
    if (refusal !== undefined) {
      throw new FaultlineError(
        'GUARD_PROTECTED',
        `${labelOf(target)} would die with it (memory.oom.group): ${refusal.reason}`,
        {
          hint: 'echo 0 > memory.oom.group of its cgroup has the OOM killer take one alone',
        },
      );
    }
    return [planned(target, 'dies with it: memory.oom.group is set', room, 'group')];
  });
}

function remark({ cgroup, members, group, limitBytes, usageBytes }: Room): readonly string[] {
  const path = printable(cgroup.path);
  const taken = formatSize(Math.max(0, limitBytes - usageBytes));
  const fill = `${taken} are taken in the cgroup ${path} until the kernel kills, and given back then`;
  const others = members.length - 1;
  if (others === 0 || group) return [fill];
  return [fill, `${count(others, 'other process', 'other processes')} in it may wait for memory meanwhile`];
}

/**
 * Choose the processes and look at their cgroups.
 *
 * @throws {FaultlineError} PROCESS_NOT_FOUND, CGROUP_UNFIT, GUARD_PROTECTED, PERMISSION_DENIED
 */
export function planOom(spec: OomSpec, context: PlanContext): Plan {
  const selection = selectProcesses(parseCriteria(spec.criteria), { protection: context.protection });
  const table = readProcessTable();
  const targets: PlannedTarget[] = [];
  const notes: string[] = [];
  for (const target of selection.chosen) {
    const room = roomOf(target.identity.pid, labelOf(target));
    const does = `is killed by the OOM killer in ${printable(room.cgroup.path)}, limit ${formatSize(room.limitBytes)}`;
    targets.push(planned(target, does, room, 'victim'), ...companions(target, room, table, context));
    notes.push(...remark(room));
  }
  const known = new Set<string>();
  const once = targets.filter(({ key }) => !known.has(key) && known.add(key));
  return {
    kind: 'process',
    action: 'oom',
    targets: once,
    leftOut: selection.leftOut.map(({ process: target, ...why }) => ({
      key: identityKey(target.identity),
      label: labelOf(target),
      ...why,
    })),
    matched: Math.max(selection.matched.length, once.length),
    sustained: false,
    notes: [...new Set(notes)],
    data: { spec: { ...spec }, seed: selection.seed },
  };
}
