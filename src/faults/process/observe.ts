import { formatDuration } from '../../base/duration.ts';
import { readProcessState } from '../../linux/procfs/process-state.ts';
import { isEndedState } from '../../linux/procfs/stat.ts';
import { currentState } from '../../targets/identity.ts';
import type { Effect, TargetVerdict } from '../fault.ts';
import { endOf, findRespawned, type Respawn } from './respawn.ts';
import { type SignalEffect, signalEffects } from './signal-effect.ts';

function presentState({ identity }: SignalEffect): string {
  const state = currentState(identity);
  if (state !== 'alive') return state;
  return readProcessState(identity.pid) ?? 'gone';
}

function observed(one: SignalEffect, state: string, respawn: Respawn | undefined): TargetVerdict {
  const { effect, undo } = one;
  const ends = effect.outcome?.['ended'] === true;
  const stoppedNow = state === 'T';
  const lives = state.length === 1 && !isEndedState(state);
  const base = {
    target: effect.target,
    evidence: { state, ...(respawn === undefined ? {} : { respawn: { ...respawn } }) },
  };
  if (ends || !lives) {
    const back =
      respawn === undefined ? '' : `; pid ${respawn.pid} took its place after ${formatDuration(respawn.afterMs)}`;
    const verdict = ends || effect.status === 'undone' ? 'confirmed' : 'inconclusive';
    return { ...base, verdict, seen: `is gone${back}` };
  }
  if (undo === 'none') return { ...base, verdict: 'inconclusive', seen: `lives (state ${state})` };
  const shouldBeStopped = effect.status === 'applied';
  const seen = stoppedNow ? 'is stopped (state T)' : `runs (state ${state})`;
  return { ...base, verdict: stoppedNow === shouldBeStopped ? 'confirmed' : 'mismatch', seen };
}

/** What the targets are now, and who has taken the place of those that ended. */
export function observeSignals(effects: readonly Effect[]): readonly TargetVerdict[] {
  const signals = signalEffects(effects).filter(({ effect }) => effect.status !== 'refused');
  const respawned = findRespawned(
    signals.flatMap(({ effect, comm, uid, ppid }) => {
      const end = effect.outcome === null ? undefined : endOf(effect.outcome);
      return end === undefined ? [] : [{ key: effect.target.key, comm, uid, ppid, ...end }];
    }),
  );
  return signals.map((one) => observed(one, presentState(one), respawned.get(one.effect.target.key)));
}
