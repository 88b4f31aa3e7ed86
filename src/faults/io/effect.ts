import { type JsonObject, textOf, toJson } from '../../base/json.ts';
import { readStat } from '../../linux/procfs/stat.ts';
import type { Effect, EffectIntent, Plan } from '../fault.ts';
import { currentState, type ProcessIdentity } from '../../targets/identity.ts';
import type { VolumeTrace } from './daemon/withdraw-alone.ts';
import { type VolumePlan, volumePlanOf } from './volume-plan.ts';
import { type IoSpec, specFromJson } from './spec.ts';

/** What is written down before a volume is covered. */
export function volumeIntent(plan: Plan): EffectIntent {
  const volume = volumePlanOf(plan);
  const { key, path, pid, mountNamespace } = volume;
  const trace: VolumeTrace = { key, path, pid, mountNamespace };
  return {
    type: 'volume',
    target: { key, label: path },
    apply: { volume: toJson(volume), spec: plan.data['spec'] ?? {} },
    undo: toJson(trace) as JsonObject,
    hold: null,
  };
}

export function traceOf({ undo }: Effect): VolumeTrace {
  if (undo === null) throw new Error('the effect of a volume has something that undoes it');
  return undo as unknown as VolumeTrace;
}

export function specOf({ apply }: Effect | { readonly apply: JsonObject }): IoSpec {
  return specFromJson(apply['spec'] as JsonObject);
}

export function volumeOf({ apply }: Effect): VolumePlan {
  return apply['volume'] as unknown as VolumePlan;
}

/** Who serves the volume, as far as it was written down. */
function daemonOf({ outcome }: Effect): ProcessIdentity | undefined {
  const daemon = outcome?.['daemon'];
  if (typeof daemon !== 'object' || daemon === null || Array.isArray(daemon)) return undefined;
  const { pid, startTimeTicks, bootId } = daemon as JsonObject;
  return { pid: Number(pid), startTimeTicks: Number(startTimeTicks), bootId: textOf(bootId) };
}

/** What the daemon of a volume does; undefined: it is not known who it is. A stopped one serves nobody. */
export function daemonState(effect: Effect): 'serving' | 'stopped' | 'gone' | undefined {
  const daemon = daemonOf(effect);
  if (daemon === undefined) return undefined;
  if (currentState(daemon) !== 'alive') return 'gone';
  return readStat(daemon.pid)?.state === 'T' ? 'stopped' : 'serving';
}
