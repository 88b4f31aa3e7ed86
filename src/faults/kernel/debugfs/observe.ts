import { count } from '../../../base/text.ts';
import type { JsonObject } from '../../../base/json.ts';
import { readSetting } from '../../../linux/fault-injection.ts';
import type { Effect, TargetVerdict } from '../../fault.ts';
import { planOf } from '../effect.ts';
import type { KernelSpec } from '../spec.ts';
import { firstTimes, probabilityFile, timesFile } from './settings.ts';

/** How many calls have failed by now: `times` counts down. */
export function failedCalls(spec: KernelSpec): number {
  const first = firstTimes(spec);
  return first - Number(readSetting(timesFile(spec)) ?? first);
}

/** What is written down of it. */
export function settingsEvidence(injected: number): JsonObject {
  return { counts: { injected } };
}

/** What the settings have brought about by now. */
export function observeSettings(effect: Effect): TargetVerdict {
  const { target } = effect;
  const { spec } = planOf(effect);
  const probability = readSetting(probabilityFile(spec));
  const wanted = spec.nth === null ? String(spec.probability) : '0';
  if (probability !== wanted) {
    const seen = `its probability in debugfs is ${probability ?? 'gone'}, not ${wanted}`;
    return { target, verdict: 'mismatch', seen, evidence: {} };
  }
  const failed = failedCalls(spec);
  return { target, verdict: 'confirmed', seen: `${count(failed, 'call')} failed`, evidence: settingsEvidence(failed) };
}
