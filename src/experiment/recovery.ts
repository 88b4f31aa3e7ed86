import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { delay } from '../base/delay.ts';
import { FaultlineError } from '../base/error.ts';
import { type JsonObject, textOf } from '../base/json.ts';
import { type InjectionState, isLive } from '../base/lifecycle.ts';
import { count, printable } from '../base/text.ts';
import type { Effect, TargetVerdict } from '../faults/fault.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { effectsOf } from '../store/effects.ts';
import { countEvents } from '../store/events.ts';
import { findInjection, type InjectionRecord, releaseClaims, updateInjection } from '../store/injections.ts';
import { findRun } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { insertVerdict } from '../store/verdicts.ts';
import type { EngineContext } from './context.ts';
import { errorToJson } from './error-json.ts';
import { missedExpectation } from './expectation.ts';
import { currentRecord, isOpen } from './injection.ts';
import { isUnwritable, journalOf } from './journal.ts';
import { beginOperation, isElsewhere, isFrozen, isOwned } from './ownership.ts';

/** How long a recovery waits for whoever is at work on the injection, in milliseconds. */
const ownerWaitMs = 60_000;
const ownerPollMs = 20;

/** How soon the keeper tries again to undo what could not be undone, in milliseconds: twice as late each time. */
const firstRetryMs = 15_000;
const lastRetryMs = 3_600_000;

function retryDelayMs(context: EngineContext, injection: InjectionRecord): number {
  const tries = countEvents(context.store, injection.id, 'recovering');
  return Math.min(firstRetryMs * 2 ** (tries - 1), lastRetryMs);
}

export interface RecoveryOptions {
  /** For the timeline: `asked`, `lease ended`, `halt: …` */
  readonly reason: string;
  /**
   * Give up on what cannot be undone: the injection then ends as `unrecoverable`. What was begun before and never seen
   * to end is not begun again.
   */
  readonly abandon: boolean;
  /** The user named this very injection: what was begun before and never seen to end may be tried again. */
  readonly insist?: boolean;
  /**
   * Is it still to be undone? Asked with the journal's lock held, since what led here may be old news: the command that
   * seemed to have died while it injected may have finished and gone. Absent: yes.
   */
  readonly stillDue?: (injection: InjectionRecord) => boolean;
}

export interface Recovery {
  readonly record: InjectionRecord;
  /** It was over before: nothing was done. */
  readonly already: boolean;
  /** Somebody was at work on it when it was asked for, and has undone it himself: it failed, and nothing stands. */
  readonly stopped?: boolean;
  readonly verdicts: readonly TargetVerdict[];
  /** Why the journal could not be written while it was undone, if so. */
  readonly unwritten: FaultlineError | undefined;
}

/** @param store uids of runs look the same: who gives one is told so */
export function notFound(store: Store, uid: string): FaultlineError {
  const name = printable(uid);
  const isRun = existsSync(store.file) && findRun(store, uid) !== undefined;
  return new FaultlineError('INJECTION_NOT_FOUND', `there is no injection ${name}${isRun ? ': it is a run' : ''}`, {
    hint: isRun
      ? `faultline report ${name} tells what became of it, and names its injections`
      : 'faultline search --all lists them, faultline schedule list the schedules; or is it another state folder?',
  });
}

/** Processes of another namespace have other numbers or start times here: they would seem to be gone. */
function refuseElsewhere(context: EngineContext, injection: InjectionRecord): void {
  if (!isElsewhere(context, injection)) return;
  throw new FaultlineError(
    'INJECTION_ELSEWHERE',
    `the injection ${injection.uid} was made in another PID or time namespace`,
    { hint: 'recover it there, for example in its container, or give it up with --abandon if that is gone' },
  );
}

interface OwningOptions extends RecoveryOptions {
  /** The operation that undoes it. */
  readonly owner: JsonObject;
}

/** An injection, and whether it is ours to undo now; if not, there is nothing to undo. */
interface Taken {
  readonly injection: InjectionRecord;
  readonly owned: boolean;
  /** As in {@link Recovery}. */
  readonly stopped: boolean;
}

/** Take the injection over, or ask its living owner to stop. @returns undefined while it is still owned */
function tryOwn(
  context: EngineContext,
  uid: string,
  options: OwningOptions,
): Promise<Omit<Taken, 'stopped'> | undefined> {
  const { store, timeline } = context;
  const { reason, stillDue = () => true } = options;
  return timeline.write('own', (record) => {
    const injection = findInjection(store, uid);
    if (injection === undefined) throw notFound(store, uid);
    if (!isLive(injection.state) || !stillDue(injection)) return { injection, owned: false };
    if (!options.abandon) refuseElsewhere(context, injection);
    if (isOwned(context, injection)) {
      if (injection.cancel === null && injection.state !== 'recovering') {
        updateInjection(store, injection.id, { cancel: reason });
        record(injection, 'cancelling', { reason });
      }
      return undefined;
    }
    updateInjection(store, injection.id, { state: 'recovering', owner: options.owner, cancel: null });
    record(injection, 'recovering', { reason });
    return { injection: currentRecord(context, injection), owned: true };
  });
}

/** @throws {FaultlineError} INJECTION_BUSY when waiting is over, or is in vain */
function refuseBusy(context: EngineContext, uid: string, overdue: boolean): void {
  const { owner } = currentRecord(context, { uid });
  if (owner === null) return;
  const frozen = isFrozen(owner);
  if (!frozen && !overdue) return;
  const pid = textOf(owner['pid']);
  const what = frozen ? 'is stopped itself while it is at work on' : 'is still at work on';
  throw new FaultlineError('INJECTION_BUSY', `process ${pid} ${what} the injection ${uid}`, {
    hint: `end it, which the journal survives (kill -KILL ${pid}), and recover again`,
  });
}

/**
 * Take an injection over, as soon as nobody else is at work on it.
 *
 * Where the journal cannot be written (a full disk), it is undone without being owned: undoing it twice changes
 * nothing, leaving it does.
 */
async function own(context: EngineContext, uid: string, options: OwningOptions): Promise<Taken> {
  const giveUpMs = bootTimeMs() + ownerWaitMs;
  let waited = false;
  for (;;) {
    try {
      const taken = await tryOwn(context, uid, options);
      if (taken !== undefined) {
        return { ...taken, stopped: waited && !taken.owned && taken.injection.state === 'failed' };
      }
    } catch (error) {
      const injection = isUnwritable(error) ? findInjection(context.store, uid) : undefined;
      if (injection === undefined || isOwned(context, injection)) throw error;
      return { injection, owned: isLive(injection.state), stopped: false };
    }
    refuseBusy(context, uid, bootTimeMs() > giveUpMs);
    waited = true;
    context.timeline.tell(uid, 'progress', { message: 'waiting for the command at work on it', done: 0, total: 1 });
    await delay(ownerPollMs);
  }
}

/** It happened, and nothing undoes it. */
function stands({ status, undo }: Effect): boolean {
  return status === 'applied' && undo === null;
}

/** What a recovered injection is, by what its effects came to. */
function stateAfter(effects: readonly Effect[], injection: InjectionRecord, abandon: boolean): InjectionState {
  if (effects.some(isOpen)) return abandon ? 'unrecoverable' : 'injected';
  if (injection.injectedBootMs !== null || effects.some(({ status }) => status === 'undone')) return 'recovered';
  return effects.some(stands) ? 'unrecoverable' : 'failed';
}

function incomplete(uid: string, effects: readonly Effect[]): JsonObject {
  const open = effects.filter(isOpen).length;
  return errorToJson(
    new FaultlineError('RECOVERY_INCOMPLETE', `${count(open, 'effect')} could not be undone`, {
      hint: `faultline show ${uid} tells which; try again, or give up on them with --abandon`,
    }),
  );
}

interface Ending {
  readonly options: RecoveryOptions;
  readonly verdicts: readonly TargetVerdict[];
  /** Why the injection did not come to its end, when it did not. */
  readonly failure: JsonObject | null;
  /** The effects that the fault is given to undo; the others are left as they are. */
  readonly effects: readonly Effect[];
  /** It failed in its owner's hands, which undoes it now; nothing of it was ever reported as injected. */
  readonly rolledBack: boolean;
}

function finish(context: EngineContext, injection: InjectionRecord, ending: Ending): Promise<void> {
  const { store, timeline } = context;
  return timeline.write('finish', (record) => {
    for (const verdict of ending.verdicts) {
      insertVerdict(store, injection.id, { ...verdict, phase: 'recover', round: 0 });
      record(injection, 'verdict', { target: verdict.target.label, verdict: verdict.verdict, seen: verdict.seen });
    }
    const effects = effectsOf(store, injection.id);
    const after = stateAfter(effects, injection, ending.options.abandon);
    const state = ending.rolledBack && after === 'recovered' && !effects.some(stands) ? 'failed' : after;
    const missed = missedExpectation(injection.uid, ending.verdicts);
    const failure = ending.failure ?? (missed === undefined ? null : errorToJson(missed));
    const error = state === 'injected' ? incomplete(injection.uid, effects) : failure;
    if (!isLive(state)) releaseClaims(store, injection.id);
    // What could not be undone is tried again by the keeper, where there is one.
    const retry = state === 'injected' && injection.leaseMs !== null;
    const leaseEndBootMs = retry ? bootTimeMs() + retryDelayMs(context, injection) : injection.leaseEndBootMs;
    updateInjection(store, injection.id, { state, error, owner: null, leaseEndBootMs });
    if (state !== 'injected') record(injection, state, error === null ? {} : { error });
  });
}

async function undo(context: EngineContext, injection: InjectionRecord, ending: Omit<Ending, 'verdicts'>) {
  let unwritten: FaultlineError | undefined;
  const onUnwritten = (error: FaultlineError): void => {
    unwritten ??= error;
  };
  const insist = ending.options.insist === true;
  const journal = journalOf(context, injection, { round: 0, cancellable: false, insist, onUnwritten });
  const fault = await context.descriptorOf(injection.kind).load();
  const verdicts = await fault.recover(ending.effects, journal, context);
  try {
    await Promise.all([journal.settled(), finish(context, injection, { ...ending, verdicts })]);
  } catch (error) {
    if (!(error instanceof FaultlineError)) throw error;
    onUnwritten(error);
  }
  return { verdicts, unwritten };
}

/**
 * Undo one injection from whatever state it is in. May be run twice, by any process, after a crash or a reboot.
 *
 * @throws {FaultlineError} INJECTION_NOT_FOUND, INJECTION_BUSY, STATE_…
 */
export async function recoverInjection(
  context: EngineContext,
  uid: string,
  options: RecoveryOptions,
): Promise<Recovery> {
  const operation = beginOperation(context.self);
  try {
    const { injection, owned, stopped } = await own(context, uid, { ...options, owner: operation.token });
    if (!owned) return { record: injection, already: !stopped, stopped, verdicts: [], unwritten: undefined };
    const failure = injection.injectedBootMs === null ? errorToJson(unfinished) : null;
    const effects = effectsToUndo(context, injection, options);
    const { verdicts, unwritten } = await undo(context, injection, { options, failure, effects, rolledBack: false });
    return { record: currentRecord(context, injection), already: false, verdicts, unwritten };
  } finally {
    operation.end();
  }
}

const unfinished = new FaultlineError('INJECTION_FAILED', 'its command ended before it had injected everything');

/** Who gives up tries only what was never tried, and nothing of another namespace. */
function effectsToUndo(context: EngineContext, injection: InjectionRecord, { abandon }: RecoveryOptions) {
  const effects = effectsOf(context.store, injection.id);
  if (!abandon) return effects;
  return isElsewhere(context, injection) ? [] : effects.filter(({ status }) => status !== 'releasing');
}

/**
 * Own an injection for its rollback. Once it is concluded it is anybody's: its lease may have ended since, or somebody
 * may be undoing it.
 *
 * @returns is it ours to undo?
 */
function takeBack(context: EngineContext, injection: InjectionRecord, reason: string): Promise<boolean> {
  return context.timeline.write('roll back', (record) => {
    const now = currentRecord(context, injection);
    const isOthers = isOwned(context, now) && !isDeepStrictEqual(now.owner, injection.owner);
    if (now.id !== injection.id || !isLive(now.state) || isOthers) return false;
    updateInjection(context.store, injection.id, { state: 'recovering', owner: injection.owner, cancel: null });
    record(injection, 'recovering', { reason });
    return true;
  });
}

/** Undo what an injection had done when it failed. Called by its owner; the error that led here is kept. */
export async function rollBack(context: EngineContext, injection: InjectionRecord, cause: unknown): Promise<void> {
  const failure = errorToJson(cause);
  const options: RecoveryOptions = { reason: `rolled back: ${textOf(failure['message'])}`, abandon: false };
  try {
    if (!(await takeBack(context, injection, options.reason))) return;
  } catch (error) {
    if (!(error instanceof FaultlineError)) throw error;
    // The journal cannot be written; what it has is enough to undo from.
  }
  const effects = effectsOf(context.store, injection.id);
  await undo(context, injection, { options, failure, effects, rolledBack: true });
}
