import { mapConcurrently } from '../base/concurrency.ts';
import { asFaultlineError, FaultlineError } from '../base/error.ts';
import { clearHalt, type HaltRecord, readHalt, setHalt } from '../store/latches.ts';
import { liveInjections } from '../store/injections.ts';
import { audited } from './audit.ts';
import type { EngineContext } from './context.ts';
import { isUnwritable } from './journal.ts';
import { type Recovery, type RecoveryOptions, recoverInjection } from './recovery.ts';

/** What became of every live injection. */
export interface Sweep {
  readonly recovered: readonly Recovery[];
  readonly failed: readonly { readonly uid: string; readonly error: FaultlineError }[];
}

/** How many injections are undone at a time: one that hangs must not keep the others waiting. */
const atOnce = 8;

type Outcome = { readonly recovery: Recovery } | { readonly uid: string; readonly error: FaultlineError };

async function tryRecover(context: EngineContext, uid: string, options: RecoveryOptions): Promise<Outcome> {
  try {
    return { recovery: await recoverInjection(context, uid, options) };
  } catch (error) {
    // Of any kind: the others must be undone all the same.
    return { uid, error: asFaultlineError(error) };
  }
}

/** Undo everything that is live, the newest first; goes on past injections that cannot be undone. */
export async function recoverAll(context: EngineContext, options: RecoveryOptions): Promise<Sweep> {
  const uids = liveInjections(context.store)
    .toReversed()
    .map(({ uid }) => uid);
  const outcomes = await mapConcurrently(uids, atOnce, (uid) => tryRecover(context, uid, options));
  return Object.freeze({
    recovered: outcomes.flatMap((outcome) => ('recovery' in outcome ? [outcome.recovery] : [])),
    failed: outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : [])),
  });
}

function latch(context: EngineContext, reason: string): Promise<void> {
  return context.timeline.write('halt', (record) => {
    setHalt(context.store, { reason, actor: context.actor, at: Date.now() });
    record(null, 'halted', { reason });
  });
}

/**
 * Latch new attacks off, durably and first, then undo everything live. Attacks that are under way find the latch
 * before their next effect and undo themselves.
 *
 * @throws {FaultlineError} STATE_… when the latch cannot be written; what is live is undone all the same
 */
export async function halt(context: EngineContext, reason: string): Promise<Sweep> {
  return audited(context, { action: 'halt', subject: null, parameters: { reason } }, async () => {
    let unlatched: FaultlineError | undefined;
    try {
      await latch(context, reason);
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      unlatched = error;
    }
    const sweep = await recoverAll(context, { reason: `halted: ${reason}`, abandon: false });
    if (unlatched === undefined) return sweep;
    const done = `${sweep.recovered.length} undone, but new attacks are not held off`;
    throw new FaultlineError(unlatched.code, `${done}: ${unlatched.message}`, { hint: 'mend that and halt again' });
  });
}

/** Allow attacks again. @returns the halt that was latched, if one was */
export async function releaseHalt(context: EngineContext): Promise<HaltRecord | undefined> {
  return audited(context, { action: 'release', subject: null, parameters: {} }, () =>
    context.timeline.write('release halt', (record) => {
      const latched = readHalt(context.store);
      if (clearHalt(context.store)) record(null, 'released');
      return latched;
    }),
  );
}
