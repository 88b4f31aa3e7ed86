import { textOf } from '../../base/json.ts';
import { readStat } from '../../linux/procfs/stat.ts';
import { currentState } from '../../targets/identity.ts';
import type { Effect, Site, TargetVerdict } from '../fault.ts';
import { isSettings } from './debugfs/effect.ts';
import { observeSettings } from './debugfs/observe.ts';
import { holdingOf, lastCounts, planOf } from './effect.ts';
import { readReason } from './holder/hold-file.ts';
import { readCounts, readHits, readProcesses } from './maps.ts';
import { cgroupStands } from './scope.ts';
import { countsEvidence, countsText } from './verdicts.ts';

function look(effect: Effect): TargetVerdict {
  if (isSettings(effect)) return observeSettings(effect);
  const { target } = effect;
  const holding = holdingOf(effect);
  const counts =
    holding === undefined ? undefined : readCounts(holding.maps.counters, planOf(effect).spec.frames.length);
  if (holding === undefined || counts === undefined) {
    return { target, verdict: 'mismatch', seen: 'is not probed any more', evidence: {} };
  }
  const hits = readHits(holding.maps.hits);
  return { target, verdict: 'confirmed', seen: countsText(counts), evidence: countsEvidence(counts, hits) };
}

/** What was made to fail by now. */
export function observeProbes(effects: readonly Effect[]): readonly TargetVerdict[] {
  return effects.flatMap((effect): readonly TargetVerdict[] => {
    if (effect.status === 'applied') return [look(effect)];
    if (effect.status !== 'undone') return [];
    const counts = lastCounts(effect);
    const evidence = counts === undefined ? {} : countsEvidence(counts, []);
    return [{ target: effect.target, verdict: 'confirmed', seen: 'is as it was', evidence }];
  });
}

/** Is one of the processes in scope still there, or one that they have started? */
function someProcessLives(effect: Effect): boolean {
  const { scope } = planOf(effect);
  if (scope.kind !== 'processes') return true;
  if (scope.processes.some(({ identity }) => currentState(identity) === 'alive')) return true;
  const id = holdingOf(effect)?.maps.processes ?? null;
  if (!scope.follow || id === null) return false;
  return readProcesses(id).some(({ pid, startTimeTicks }) => readStat(pid)?.startTimeTicks === startTimeTicks);
}

function lapseOf(effect: Effect, { stateDir }: Site): string | undefined {
  const holding = holdingOf(effect);
  if (effect.status !== 'applied' || (holding === undefined && !isSettings(effect))) return undefined;
  if (holding !== undefined && currentState(holding.holder) !== 'alive') {
    const reason = readReason(stateDir, textOf(effect.undo?.['key']));
    return reason ?? 'the process that held its probes has died';
  }
  const { scope } = planOf(effect);
  if (scope.kind === 'cgroup' && !cgroupStands(scope)) return `the cgroup ${scope.folder} was removed`;
  return someProcessLives(effect) ? undefined : 'its processes have ended';
}

/** Why nothing fails any more, though it should. */
export function lapsedProbes(effects: readonly Effect[], site: Site): string | undefined {
  for (const effect of effects) {
    const reason = lapseOf(effect, site);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
