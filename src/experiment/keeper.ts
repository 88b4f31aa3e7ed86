import { announceKeeper } from '../faults/keeper-presence.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { setProcessName } from '../linux/prctl.ts';
import { type InjectionRecord, injectionsToAttend, summarizeWatch } from '../store/injections.ts';
import { clearKeeper, readKeeper, setKeeper } from '../store/latches.ts';
import type { RunRecord } from '../store/runs.ts';
import type { EngineContext } from './context.ts';
import { recoverAll } from './halt.ts';
import { isUnwritable } from './journal.ts';
import { isServing, injectionsToKeep } from './ownership.ts';
import { injectAgain, nextRoundBootMs } from './repeat.ts';
import type { Repair } from './repair.ts';
import { orphanedRuns } from './runs-repair.ts';
import { leftNoTrace, reasonToUndo, repair, repairLapsed, repairOrphan } from './supervise.ts';

/*
 * The keeper: one small detached process a state folder, there while a lease runs. It ends leases when they are due,
 * repeats what has an interval, and undoes what was left behind by a command that died while it injected, or by the
 * runner of an experiment. It keeps nothing in memory that is needed after its end, so that it may be killed at any
 * moment: the next command takes over.
 */

/** How often the keeper looks at the journal when nothing is due, in milliseconds: how late it hears of a new lease. */
const pollMs = 200;

/**
 * How often in a row a look may fail, and how long the keeper waits after each, in milliseconds. Leases go on while the
 * journal or /proc is out of reach for a moment: memory runs out, another process mends the journal's log.
 */
const mostFailedLooks = 30;
const failedLookPauseMs = 1_000;

/** How soon the keeper repairs one injection again whose repair left no trace in the journal, in milliseconds. */
const repairPauseMs = 15_000;

/** Become this folder's keeper, unless one is there that serves. */
function takeOffice(context: EngineContext): Promise<boolean> {
  return context.timeline.write('keeper', () => {
    if (isServing(readKeeper(context.store))) return false;
    setKeeper(context.store, { ...context.self });
    return true;
  });
}

/** Is the office still ours? While we were stopped, another may have taken it. */
function inOffice({ store, self }: EngineContext): boolean {
  const keeper = readKeeper(store);
  return keeper?.['pid'] === self.pid && keeper['startTimeTicks'] === self.startTimeTicks;
}

/**
 * Leave when no lease is left. A command that adds one does so under the same lock and then looks for a keeper: either
 * we see its lease here, or it sees that we are gone.
 */
async function leaveOffice(context: EngineContext): Promise<boolean> {
  if (injectionsToKeep(context) > 0 && inOffice(context)) return false; // the common case, without the write lock
  return context.timeline.write('keeper', () => {
    if (!inOffice(context)) return true;
    if (injectionsToKeep(context) > 0) return false;
    clearKeeper(context.store);
    return true;
  });
}

/** What the keeper is at, by uid: a slow recovery or round must not hold up the others. */
interface Desk {
  readonly atWork: Map<string, Promise<void>>;
  readonly lastRoundBootMs: Map<string, number>;
  /** Not to be repaired before this moment: the journal would say so, but could not be written. */
  readonly notBeforeBootMs: Map<string, number>;
  readonly onError: (error: unknown) => void;
}

function start(desk: Desk, uid: string, work: Promise<unknown>): void {
  const done = work
    .then(
      () => undefined,
      (error: unknown) => {
        desk.onError(error);
      },
    )
    .catch(() => undefined) // not even telling it must end the keeper
    .finally(() => {
      desk.atWork.delete(uid);
    });
  desk.atWork.set(uid, done);
}

/**
 * Repair, and keep away for a while from what could not be written down. A repair that turned out to be needless must
 * not hold up the real end of the lease.
 */
async function pauseAfter(desk: Desk, uid: string, repairing: Promise<Repair | undefined>): Promise<void> {
  const done = await repairing;
  if (done !== undefined && leftNoTrace(done)) desk.notBeforeBootMs.set(uid, bootTimeMs() + repairPauseMs);
}

/** Start what is due for one injection. */
function attend(context: EngineContext, desk: Desk, injection: InjectionRecord): void {
  const { uid } = injection;
  if (desk.atWork.has(uid)) return;
  const reason = reasonToUndo(context, injection, 0);
  if (reason !== undefined || injection.tended) {
    if ((desk.notBeforeBootMs.get(uid) ?? 0) > bootTimeMs()) return;
    const repairing = reason === undefined ? repairLapsed(context, injection) : repair(context, injection, reason);
    start(desk, uid, pauseAfter(desk, uid, repairing));
    return;
  }
  const dueBootMs = nextRoundBootMs(injection, desk.lastRoundBootMs.get(uid));
  if (dueBootMs === undefined || dueBootMs > bootTimeMs() || injection.state !== 'injected') return;
  desk.lastRoundBootMs.set(uid, bootTimeMs());
  start(desk, uid, injectAgain(context, injection));
}

/** Undo what a run has left behind whose runner was killed. */
function attendRun(context: EngineContext, desk: Desk, run: RunRecord): void {
  const key = `run ${run.uid}`;
  if (desk.atWork.has(key) || (desk.notBeforeBootMs.get(key) ?? 0) > bootTimeMs()) return;
  const repairing = repairOrphan(context, run);
  repairing.catch(() => desk.notBeforeBootMs.set(key, bootTimeMs() + repairPauseMs));
  start(desk, key, repairing);
}

/** The moment of the next thing to do, in CLOCK_BOOTTIME ms. */
function nextDueBootMs(context: EngineContext, desk: Desk, attended: readonly InjectionRecord[]): number {
  const rounds = attended
    .filter(({ uid }) => !desk.atWork.has(uid))
    .map((injection) => nextRoundBootMs(injection, desk.lastRoundBootMs.get(injection.uid)))
    .filter((bootMs) => bootMs !== undefined);
  const nowBootMs = bootTimeMs();
  const { nextEndBootMs } = summarizeWatch(context.store, context.host);
  // A lease that is over already is being ended, or waits for its next try: no reason to look without a pause.
  const next = nextEndBootMs !== null && nextEndBootMs > nowBootMs ? [nextEndBootMs] : [];
  return Math.min(...rounds, ...next, nowBootMs + pollMs);
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.max(ms, 1));
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/**
 * Undo everything and leave: nothing must outlive its keeper unwatched. The office is given up first, so that a command
 * that adds a lease from now on starts another keeper.
 */
async function abdicate(context: EngineContext, desk: Desk): Promise<void> {
  try {
    await context.timeline.write('keeper', () => {
      if (inOffice(context)) clearKeeper(context.store);
    });
  } catch (error) {
    // A full disk is no reason to leave things as they are. That we have left, our end will say.
    if (!isUnwritable(error)) throw error;
  }
  await recoverAll(context, { reason: 'its keeper was told to end', abandon: false });
  await Promise.all(desk.atWork.values());
}

/**
 * Run as the keeper until no lease is left, or until told to end (`context.interrupted`): then every live injection is
 * undone first.
 *
 * @param onError is told of bugs; the keeper goes on
 */
export async function keep(context: EngineContext, onError: (error: unknown) => void): Promise<void> {
  setProcessName('faultline-keep');
  const leave = announceKeeper(context.stateDir); // before anybody can rely on it
  try {
    if (await takeOffice(context)) await serve(context, onError);
  } finally {
    leave();
  }
}

/** One look at everything. @returns how long to wait for the next, in ms; undefined: the office is left */
async function lookAround(context: EngineContext, desk: Desk): Promise<number | undefined> {
  const moment = { bootId: context.host.bootId, bootMs: bootTimeMs() };
  const attended = injectionsToAttend(context.store, moment);
  for (const run of orphanedRuns(context)) attendRun(context, desk, run);
  for (const injection of attended) attend(context, desk, injection);
  if (desk.atWork.size === 0 && (await leaveOffice(context))) return undefined;
  return nextDueBootMs(context, desk, attended) - bootTimeMs();
}

async function serve(context: EngineContext, onError: (error: unknown) => void): Promise<void> {
  const desk: Desk = { atWork: new Map(), lastRoundBootMs: new Map(), notBeforeBootMs: new Map(), onError };
  let failedLooks = 0;
  while (!context.interrupted.aborted) {
    let pauseMs: number | undefined;
    try {
      pauseMs = await lookAround(context, desk);
      failedLooks = 0;
    } catch (error) {
      if (++failedLooks > mostFailedLooks) {
        await Promise.all(desk.atWork.values());
        throw error;
      }
      onError(error);
      pauseMs = failedLookPauseMs;
    }
    if (pauseMs === undefined) return;
    await wait(pauseMs, context.interrupted);
  }
  await abdicate(context, desk);
}
