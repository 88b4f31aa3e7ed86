import { delay } from '../../base/delay.ts';
import { mayStand } from '../../base/lifecycle.ts';
import { asFaultlineError } from '../../base/error.ts';
import { count } from '../../base/text.ts';
import { type JsonObject, textOf, toJson } from '../../base/json.ts';
import { programExists } from '../../linux/bpf/program.ts';
import { bootId } from '../../linux/boot-id.ts';
import type { Effect, Journal, Site, TargetVerdict } from '../fault.ts';
import { isSettings } from './debugfs/effect.ts';
import { recoverSettings } from './debugfs/recover.ts';
import { holdingOf, planOf } from './effect.ts';
import { endHolder } from './holder/end-holder.ts';
import { type FailureCounts, readHits, stopPrograms } from './maps.ts';
import { countsEvidence, countsText } from './verdicts.ts';

/**
 * The kernel lets go of programs a moment after what they were attached to is closed, of one after the other, and waits
 * for all processors with each: long, where a hypervisor holds one of them up. In milliseconds.
 */
const goneTimeoutMs = 20_000;
const pollMs = 5;

/** @returns the programs that are still there */
async function remainingPrograms(ids: readonly number[]): Promise<readonly number[]> {
  const giveUpMs = performance.now() + goneTimeoutMs;
  for (;;) {
    const left = ids.filter(programExists);
    if (left.length === 0 || performance.now() > giveUpMs) return left;
    await delay(pollMs);
  }
}

interface Detached {
  readonly counts: FailureCounts | undefined;
  readonly evidence: JsonObject;
  /** Why it is not undone; undefined: it is. */
  readonly problem: string | undefined;
}

async function detach(effect: Effect, site: Site): Promise<Detached> {
  const key = textOf(effect.undo?.['key']);
  const holding = holdingOf(effect);
  // Numbers of programs and maps are of one boot.
  const isOfThisBoot = holding?.holder.bootId === bootId();
  const ids = isOfThisBoot ? holding.maps : undefined;
  const counts = ids === undefined ? undefined : stopPrograms(ids.counters, planOf(effect).spec.frames.length);
  const hits = ids === undefined || counts === undefined ? [] : readHits(ids.hits);
  const evidence = counts === undefined ? {} : countsEvidence(counts, hits);
  if (!(await endHolder(site.stateDir, key, isOfThisBoot ? holding.holder : undefined))) {
    return { counts, evidence, problem: 'the process that holds its probes does not end' };
  }
  const left = isOfThisBoot ? await remainingPrograms(holding.programIds) : [];
  const problem = left.length === 0 ? undefined : `${count(left.length, 'program')} of it are still there`;
  return { counts, evidence, problem };
}

function verdictOf(effect: Effect, { counts, evidence, problem }: Detached): TargetVerdict {
  const { target } = effect;
  if (problem !== undefined) return { target, verdict: 'mismatch', seen: problem, evidence };
  const told = counts === undefined ? 'what failed is not known' : countsText(counts);
  return { target, verdict: 'confirmed', seen: `is as it was; ${told}`, evidence };
}

async function recoverProbes(effect: Effect, journal: Journal, site: Site): Promise<TargetVerdict> {
  journal.progress('detaching probes', 0, 1);
  const detached = await detach(effect, site);
  const verdict = verdictOf(effect, detached);
  const status = detached.problem === undefined ? 'undone' : 'applied';
  const outcome = { ...effect.outcome, ...verdict.evidence, recovery: toJson(verdict.seen) };
  journal.settle([{ effect, status, outcome }]);
  return verdict;
}

async function recoverOne(effect: Effect, journal: Journal, site: Site): Promise<TargetVerdict> {
  await journal.release([effect]);
  try {
    return isSettings(effect) ? recoverSettings(effect, journal) : await recoverProbes(effect, journal, site);
  } catch (error) {
    const { message } = asFaultlineError(error);
    return { target: effect.target, verdict: 'mismatch', seen: `could not be undone: ${message}`, evidence: {} };
  }
}

/** Undo what makes calls fail, the newest first. */
export async function detachProbes(
  effects: readonly Effect[],
  journal: Journal,
  site: Site,
): Promise<readonly TargetVerdict[]> {
  const verdicts: TargetVerdict[] = [];
  for (const effect of effects.toReversed()) {
    if (mayStand(effect.status)) verdicts.push(await recoverOne(effect, journal, site));
  }
  return verdicts;
}
