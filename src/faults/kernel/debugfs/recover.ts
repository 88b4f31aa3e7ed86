import { toJson } from '../../../base/json.ts';
import { count } from '../../../base/text.ts';
import { writeSetting } from '../../../linux/fault-injection.ts';
import type { Effect, Journal, TargetVerdict } from '../../fault.ts';
import { planOf } from '../effect.ts';
import { settingsBefore } from './effect.ts';
import { unmarkTasks } from './mark.ts';
import { failedCalls, settingsEvidence } from './observe.ts';
import { probabilityFile } from './settings.ts';

/** Set everything as it was; nothing fails from the first step on. */
function restore(effect: Effect): TargetVerdict {
  const { target, status } = effect;
  const { spec } = planOf(effect);
  const before = settingsBefore(effect);
  if (before === undefined) {
    return { target, verdict: 'confirmed', seen: 'is as it was: the host was started anew', evidence: {} };
  }
  writeSetting(probabilityFile(spec), '0');
  unmarkTasks();
  const failed = failedCalls(spec);
  for (const { file, value } of before.toReversed()) writeSetting(file, value);
  // Where it is not known whether it was set up, `times` may be anybody's.
  if (status === 'intended') return { target, verdict: 'confirmed', seen: 'is as it was', evidence: {} };
  const seen = `is as it was; ${count(failed, 'call')} failed`;
  return { target, verdict: 'confirmed', seen, evidence: settingsEvidence(failed) };
}

/** Undo one effect on settings that was released. May be run again and again. */
export function recoverSettings(effect: Effect, journal: Journal): TargetVerdict {
  const verdict = restore(effect);
  const outcome = { ...effect.outcome, ...verdict.evidence, recovery: toJson(verdict.seen) };
  journal.settle([{ effect, status: 'undone', outcome }]);
  return verdict;
}
