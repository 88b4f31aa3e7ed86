import { mapConcurrently } from '../base/concurrency.ts';
import { delayUnless } from '../base/delay.ts';
import { asFaultlineError, FaultlineError } from '../base/error.ts';
import { isLive } from '../base/lifecycle.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { effectsOf } from '../store/effects.ts';
import { type InjectionRecord, injectionsToAttend } from '../store/injections.ts';
import { readKeeper } from '../store/latches.ts';
import type { RunRecord } from '../store/runs.ts';
import { writeAudit } from './audit.ts';
import type { EngineContext } from './context.ts';
import { isOverdue } from './injection.ts';
import { ensureKeeper } from './keeper-launch.ts';
import { isElsewhere, isOwned, isServing, injectionsToKeep } from './ownership.ts';
import { recoverInjection } from './recovery.ts';
import type { Repair } from './repair.ts';
import { isOrphaned, orphanedRuns, repairRun } from './runs-repair.ts';
import { recoveryShortfall } from './shortfall.ts';

/** How late a living keeper may be before another command takes a lease out of its hands, in milliseconds. */
const keeperGraceMs = 2_000;

/** How many injections are repaired at a time: a recover command that hangs must not keep the others waiting. */
const atOnce = 8;

/**
 * Does the journal say when to try again, if at all? Not where the repair failed or could not be written down, and not
 * of what has lapsed, which has no lease that could be put off.
 */
export function leftNoTrace({ outcome }: Repair): boolean {
  if (outcome instanceof FaultlineError || outcome.unwritten !== undefined) return true;
  return outcome.record.tended && isLive(outcome.record.state);
}

/**
 * Why an injection must be undone now, if it must.
 *
 * @param lateMs leaves leases alone that ended less than this long ago: their keeper is about to end them
 */
export function reasonToUndo(context: EngineContext, injection: InjectionRecord, lateMs: number): string | undefined {
  if (isElsewhere(context, injection) || isOwned(context, injection)) return undefined;
  if (injection.bootId !== context.host.bootId) return 'the host was rebooted since';
  if (injection.state !== 'injected') return `the command that was at work on it (${injection.state}) is gone`;
  return isOverdue(context, injection, bootTimeMs() - lateMs) ? 'its lease has ended' : undefined;
}

/**
 * Why a tended injection is no longer in force, if it is not; an injection that is owned or of elsewhere is left alone.
 */
async function lapseOf(context: EngineContext, injection: InjectionRecord): Promise<string | undefined> {
  if (!injection.tended || injection.state !== 'injected') return undefined;
  if (isElsewhere(context, injection) || isOwned(context, injection)) return undefined;
  const fault = await context.descriptorOf(injection.kind).load();
  return fault.lapsed?.(effectsOf(context.store, injection.id), context);
}

/**
 * Undo one injection for a reason; what stands in the way is part of the result.
 *
 * @param stillDue by default as {@link reasonToUndo} says
 *
 * @returns undefined when it turned out that there was nothing to repair
 */
export async function repair(
  context: EngineContext,
  injection: InjectionRecord,
  reason: string,
  stillDue = (now: InjectionRecord): boolean => reasonToUndo(context, now, 0) !== undefined,
): Promise<Repair | undefined> {
  const { uid } = injection;
  const action = { action: 'repair', subject: uid, parameters: { reason } };
  try {
    const outcome = await recoverInjection(context, uid, { reason, abandon: false, stillDue });
    // Nor where somebody else was at it, and was waited for.
    if (outcome.already || outcome.stopped === true) return undefined;
    await writeAudit(context, action, recoveryShortfall(outcome));
    return { uid, reason, outcome };
  } catch (error) {
    await writeAudit(context, action, error);
    return { uid, reason, outcome: asFaultlineError(error) };
  }
}

/** Undo a tended injection that is no longer in force. @returns undefined when all is well */
export async function repairLapsed(context: EngineContext, injection: InjectionRecord): Promise<Repair | undefined> {
  const reason = await lapseOf(context, injection);
  // What has lapsed does not come back; it only may have been undone meanwhile.
  return reason === undefined ? undefined : repair(context, injection, reason, ({ state }) => state === 'injected');
}

/** Undo what a run has left behind whose runner was killed, and end it. */
export function repairOrphan(
  context: EngineContext,
  run: RunRecord,
  except: ReadonlySet<string> = new Set(),
): Promise<readonly Repair[]> {
  return repairRun(context, run, async (injection, reason) => {
    const stillDue = (now: InjectionRecord): boolean => isOrphaned(context, now.run);
    return except.has(injection.uid) ? undefined : repair(context, injection, reason, stillDue);
  });
}

/** Wait for something, at most so many ms. */
async function waitFor(work: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work, delayUnless(over.signal, ms)]);
  } finally {
    over.abort();
  }
}

/**
 * What every command does before its own work: undo what was left behind (leases that have ended, injections whose
 * command died half way, runs whose runner was killed, anything from before a reboot), and see that leases that go on
 * have a keeper.
 *
 * @param except injections that are left alone this time
 */
export async function supervise(
  context: EngineContext,
  except: ReadonlySet<string> = new Set(),
): Promise<readonly Repair[]> {
  const moment = { bootId: context.host.bootId, bootMs: bootTimeMs() };
  const keeperLives = isServing(readKeeper(context.store));
  const runs = orphanedRuns(context);
  const ofRuns = new Set(runs.map(({ uid }) => uid));
  const attended = injectionsToAttend(context.store, moment).filter(
    ({ uid, run }) => !except.has(uid) && !(run !== null && ofRuns.has(run)),
  );
  const works: readonly (() => Promise<readonly (Repair | undefined)[]>)[] = [
    ...runs.map((run) => () => repairOrphan(context, run, except)),
    ...attended.map((injection) => async () => {
      const reason = reasonToUndo(context, injection, keeperLives ? keeperGraceMs : 0);
      const one = reason === undefined ? repairLapsed(context, injection) : repair(context, injection, reason);
      return [await one];
    }),
  ];
  const repairing = mapConcurrently(works, atOnce, (work) => work());
  if (!keeperLives) {
    // A repair that hangs must not keep the leases that go on without a keeper.
    await waitFor(repairing, keeperGraceMs);
    if (injectionsToKeep(context) > 0) await ensureKeeper(context);
  }
  return (await repairing).flat().filter((one) => one !== undefined);
}
