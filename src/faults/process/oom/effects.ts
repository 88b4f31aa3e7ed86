import { textOf, toJson } from '../../../base/json.ts';
import type { MemoryCgroup } from '../../../linux/memory-cgroup.ts';
import type { ProcessIdentity } from '../../../targets/identity.ts';
import type { Effect, EffectIntent, PlannedTarget } from '../../fault.ts';
import { highestAdj } from './room.ts';

/*
 * What is written down before a cgroup is filled, three effects a victim: its raised oom_score_adj, which is put back;
 * the process that fills the cgroup, which is ended; and the kill, which nothing undoes.
 */

/** A victim as the plan has it. */
export interface Victim {
  readonly planned: PlannedTarget;
  readonly identity: ProcessIdentity;
  readonly comm: string;
  readonly uid: number;
  readonly ppid: number;
  readonly cgroup: MemoryCgroup;
  readonly limitBytes: number;
}

export function victimOf(planned: PlannedTarget): Victim {
  const { pid, startTimeTicks, bootId, comm, uid, ppid, cgroup, limitBytes } = planned.about;
  return {
    planned,
    identity: { pid: Number(pid), startTimeTicks: Number(startTimeTicks), bootId: textOf(bootId) },
    comm: textOf(comm),
    uid: Number(uid),
    ppid: Number(ppid),
    cgroup: cgroup as unknown as MemoryCgroup,
    limitBytes: Number(limitBytes),
  };
}

/** @param token stands in the arguments of the process that fills the cgroup: by it that one is found again */
export function intents(victim: Victim, adj: number, token: string): readonly EffectIntent[] {
  const { planned, identity, comm, uid, ppid, cgroup } = victim;
  const target = { key: planned.key, label: planned.label };
  const who = { identity: { ...identity }, comm, uid, ppid };
  return [
    { type: 'oom-score-adj', target, apply: { ...who, adj: highestAdj }, undo: { adj }, hold: null },
    {
      type: 'memory-hog',
      target: { key: `hog:${token}`, label: `the process that fills ${cgroup.path}` },
      apply: { cgroup: toJson(cgroup) },
      undo: { token },
      hold: null,
    },
    { type: 'oom-kill', target, apply: { ...who, cgroup: toJson(cgroup) }, undo: null, hold: null },
  ];
}

export function identityIn({ apply }: Effect): ProcessIdentity {
  return apply['identity'] as unknown as ProcessIdentity;
}

/** What `runHog` is told. */
export interface HogOrder {
  readonly token: string;
  readonly parentPid: number;
  readonly cgroup: MemoryCgroup;
  /** The victim, whose memory decides how much more likely a victim than the others it makes itself. */
  readonly victimPid: number;
  readonly limitBytes: number;
  /** After so many ms it ends, whatever is. */
  readonly leaseMs: number;
}

export function orderToText(order: HogOrder): string {
  return JSON.stringify(toJson(order));
}

export function orderFromText(text: string): HogOrder {
  return JSON.parse(text) as HogOrder;
}
