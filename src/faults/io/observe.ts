import type { JsonObject } from '../../base/json.ts';
import { currentState } from '../../targets/identity.ts';
import type { Effect, Site, TargetVerdict } from '../fault.ts';
import { askDaemon } from './daemon/channel.ts';
import { daemonPlace } from './daemon/place.ts';
import type { LookAnswer } from './daemon/protocol.ts';
import { daemonOf, traceOf } from './effect.ts';
import { countsEvidence, hitsText } from './verdicts.ts';

const lookTimeoutMs = 5_000;

async function look(effect: Effect, { stateDir }: Site): Promise<TargetVerdict> {
  const { target } = effect;
  const { socket } = daemonPlace(stateDir, traceOf(effect).key);
  const answer = (await askDaemon(socket, { ask: 'look', effect: effect.id }, lookTimeoutMs)) as unknown as
    | LookAnswer
    | undefined;
  if (answer?.counts === undefined || answer.counts === null) {
    return { target, verdict: 'mismatch', seen: 'is not covered', evidence: {} };
  }
  return { target, verdict: 'confirmed', seen: hitsText(answer.counts), evidence: countsEvidence(answer.counts) };
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
        seen: 'is as it was',
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
    if (effect.status !== 'applied') continue;
    const daemon = daemonOf(effect);
    if (daemon !== undefined && currentState(daemon) !== 'alive') return 'the daemon of its volume has died';
  }
  return undefined;
}
