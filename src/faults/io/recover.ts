import { delay } from '../../base/delay.ts';
import { asFaultlineError, FaultlineError } from '../../base/error.ts';
import { mayStand } from '../../base/lifecycle.ts';
import { count, printable } from '../../base/text.ts';
import type { Effect, Journal, Site, TargetVerdict } from '../fault.ts';
import { askDaemon, isSilence } from './daemon/channel.ts';
import { daemonPlace } from './daemon/place.ts';
import type { LeaveAnswer } from './daemon/protocol.ts';
import { endDaemon, withdrawAlone } from './daemon/withdraw-alone.ts';
import { remaining } from './daemon/withdraw.ts';
import { daemonState, specOf, traceOf } from './effect.ts';
import { countsEvidence, hitsText, returnVerdicts, wasHit } from './verdicts.ts';

/** How long a daemon may take to withdraw, in milliseconds, before it is done without it. */
const leaveTimeoutMs = 30_000;

/** How long a daemon may be there without answering, in milliseconds: it may be starting, or ending. */
const absentTimeoutMs = 20_000;
const pollMs = 10;

type Left = Omit<LeaveAnswer, 'hadVolume'> & { readonly covered: boolean };

/** @returns undefined: there is no daemon who knows of the volume, or it is there no longer */
async function askToLeave(effect: Effect, site: Site): Promise<Left | undefined> {
  const trace = traceOf(effect);
  const { socket } = daemonPlace(site.stateDir, trace.key);
  if (daemonState(effect) === 'stopped') {
    endDaemon(site, trace);
    return undefined;
  }
  try {
    const asked = { ask: 'leave', effect: effect.id };
    const answer = (await askDaemon(socket, asked, leaveTimeoutMs)) as unknown as LeaveAnswer | undefined;
    return answer?.hadVolume === true ? { ...answer, covered: true } : undefined;
  } catch (error) {
    if (!isSilence(error)) throw error;
    endDaemon(site, trace); // it hangs: without it, then
    return undefined;
  }
}

async function leave(effect: Effect, site: Site): Promise<Left> {
  let giveUpMs: number | undefined;
  for (;;) {
    const left = await askToLeave(effect, site);
    if (left !== undefined) return left;
    giveUpMs ??= performance.now() + absentTimeoutMs;
    const alone = await withdrawAlone(site, traceOf(effect));
    if (alone !== undefined) return { counts: null, others: 0, ...alone };
    if (performance.now() > giveUpMs) {
      throw new FaultlineError('VOLUME_BUSY', 'the daemon of the volume does not answer, and does not end', {
        hint: 'try again; ps -e shows it as faultline-vol',
      });
    }
    await delay(pollMs);
  }
}

function volumeVerdict(effect: Effect, answer: Left, left: readonly string[]): TargetVerdict {
  const { counts, covered, lost, others } = answer;
  const { target } = effect;
  const evidence = { ...(counts === null ? {} : countsEvidence(counts)), lost: [...lost] };
  if (left.length > 0) {
    return { target, verdict: 'mismatch', seen: `is still used: ${left.map(printable).join('; ')}`, evidence };
  }
  const gone = lost.length === 0 ? '' : `; mounts that stood on it are gone: ${lost.map(printable).join(', ')}`;
  if (counts === null) {
    const seen = covered
      ? 'is as it was; what was disturbed is not known'
      : 'was not covered: nothing was left to undo';
    return { target, verdict: 'confirmed', seen: `${seen}${gone}`, evidence };
  }
  const isMissed = specOf(effect).expectHits && !wasHit(counts);
  const missed = isMissed ? { missed: `nothing was hit (--expect-hits): ${hitsText(counts)}` } : {};
  const state = others === 0 ? 'is as it was' : `stays covered for ${count(others, 'other injection')}`;
  const seen = `${state}; ${hitsText(counts)}${gone}`;
  return { target, verdict: 'confirmed', seen, evidence: { ...evidence, ...missed } };
}

async function recoverOne(effect: Effect, journal: Journal, site: Site): Promise<readonly TargetVerdict[]> {
  await journal.release([effect]);
  journal.progress('uncovering the volume', 0, 1);
  try {
    const answer = await leave(effect, site);
    const left = answer.report === null ? [] : remaining(answer.report);
    const verdict = volumeVerdict(effect, answer, left);
    const status = left.length === 0 ? 'undone' : 'applied';
    const daemon = effect.outcome?.['daemon'];
    const kept = daemon === undefined ? {} : { daemon };
    journal.settle([{ effect, status, outcome: { ...kept, ...verdict.evidence, recovery: verdict.seen } }]);
    return [verdict, ...returnVerdicts(traceOf(effect).key, answer.report)];
  } catch (error) {
    const { message } = asFaultlineError(error);
    return [{ target: effect.target, verdict: 'mismatch', seen: `could not be withdrawn: ${message}`, evidence: {} }];
  }
}

/** Uncover volumes, the newest first, and move whoever uses them back to what is below. */
export async function uncoverVolumes(
  effects: readonly Effect[],
  journal: Journal,
  site: Site,
): Promise<readonly TargetVerdict[]> {
  const verdicts: TargetVerdict[] = [];
  for (const effect of effects.toReversed()) {
    if (mayStand(effect.status)) verdicts.push(...(await recoverOne(effect, journal, site)));
  }
  return verdicts;
}
