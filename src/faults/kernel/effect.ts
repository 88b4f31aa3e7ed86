import { type JsonObject, textOf, toJson } from '../../base/json.ts';
import type { ProcessIdentity } from '../../targets/identity.ts';
import type { Effect, EffectIntent, Plan } from '../fault.ts';
import type { Attached } from './attach.ts';
import type { FailureCounts, MapIds } from './maps.ts';
import { type KernelPlan, kernelPlanOf } from './plan.ts';

/** What is written down before probes are attached. */
export function probesIntent(plan: Plan): EffectIntent {
  const [target] = plan.targets;
  if (target === undefined) throw new Error('a plan has what fails as its first target');
  const kernelPlan = kernelPlanOf(plan);
  return {
    type: 'kernel-probes',
    target: { key: target.key, label: target.label },
    apply: toJson(kernelPlan) as JsonObject,
    undo: { key: kernelPlan.key },
    hold: null,
  };
}

export function planOf({ apply }: Effect): KernelPlan {
  return apply as unknown as KernelPlan;
}

/** What was attached, and who holds it, as it was written down. */
export interface Holding {
  readonly holder: ProcessIdentity;
  readonly programIds: readonly number[];
  readonly maps: MapIds;
}

export function holdingToJson(holder: ProcessIdentity, { programIds, maps }: Attached): JsonObject {
  return toJson({ holder, programIds, maps } satisfies Holding) as JsonObject;
}

/** @returns undefined: the command that attached them did not get so far */
export function holdingOf({ outcome }: Effect): Holding | undefined {
  const holder = outcome?.['holder'];
  if (typeof holder !== 'object' || holder === null || Array.isArray(holder)) return undefined;
  const { pid, startTimeTicks, bootId } = holder as JsonObject;
  const { programIds, maps } = outcome as unknown as Holding;
  const identity = { pid: Number(pid), startTimeTicks: Number(startTimeTicks), bootId: textOf(bootId) };
  return { holder: identity, programIds, maps };
}

/** What was counted until the end, once that is written down. */
export function lastCounts({ outcome }: Effect): FailureCounts | undefined {
  return outcome?.['counts'] as FailureCounts | undefined;
}
