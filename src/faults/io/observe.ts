import type { JsonObject } from '../../base/json.ts';
import type { Effect, Site, TargetVerdict } from '../fault.ts';
import { askDaemon, isSilence } from './daemon/channel.ts';
import { daemonPlace } from './daemon/place.ts';
import type { LookAnswer } from './daemon/protocol.ts';
import { daemonState, traceOf } from './effect.ts';
import { isMounted } from './volume-plan.ts';
import { countsEvidence, hitsText } from './verdicts.ts';

const lookTimeoutMs = 5_000;

/** @returns undefined: there is no daemon; null: it does not answer */
async function ask(socket: string, { id }: Effect): Promise<LookAnswer | null | undefined> {
  try {
    const answer = await askDaemon(socket, { ask: 'look', effect: id }, lookTimeoutMs);
    return answer as unknown as LookAnswer | undefined;
  } catch (error) {
    if (isSilence(error)) return null;
    throw error;
  }
}

async function look(effect: Effect, { stateDir }: Site): Promise<TargetVerdict> {
  const { target } = effect;
  const { socket } = daemonPlace(stateDir, traceOf(effect).key);
  const answer = daemonState(effect) === 'stopped' ? null : await ask(socket, effect);
  if (answer === null) {
    return { target, verdict: 'inconclusive', seen: 'has a daemon that does not answer', evidence: {} };
  }
  if (answer?.counts === undefined || answer.counts === null) {
    return { target, verdict: 'mismatch', seen: 'is not covered', evidence: {} };
  }
  const evidence = countsEvidence(answer.counts);
  if (isMounted(traceOf(effect), effect.outcome?.['mountId']) === false) {
    const seen = `is not covered any more: somebody has taken the mount away; ${hitsText(answer.counts)}`;
    return { target, verdict: 'mismatch', seen, evidence };
  }
  return { target, verdict: 'confirmed', seen: hitsText(answer.counts), evidence };
}

/** What the rules have done by now. */
export async function observeVolumes(effects: readonly Effect[], site: Site): Promise<readonly TargetVerdict[]> {
  const verdicts: TargetVerdict[] = [];
  for (const effect of effects) {
    if (effect.status === 'applied') verdicts.push(await look(effect, site));
    else if (effect.status === 'undone') {
      verdicts.push({
        target: effect.target,
        verdict: 'confirmed',
        seen: 'is not disturbed by this injection any more',
        evidence: lastCounts(effect),
      });
    }
  }
  return verdicts;
}

/** What was counted until the end. */
function lastCounts({ outcome }: Effect): JsonObject {
  const rules = outcome?.['rules'];
  return rules === undefined ? {} : { rules };
}

/** Why a volume is not disturbed any more, though it should be. */
export function lapsedVolumes(effects: readonly Effect[]): string | undefined {
  for (const effect of effects) {
    if (effect.status !== 'applied' && effect.status !== 'releasing') continue;
    const state = daemonState(effect);
    if (state === 'gone') return 'the daemon of its volume has died';
    if (state === 'stopped') return 'the daemon of its volume is stopped';
  }
  return undefined;
}
