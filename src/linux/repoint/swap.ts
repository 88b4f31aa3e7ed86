import { closeSync } from 'node:fs';
import { asFaultlineError, type FaultlineError, isFaultlineError } from '../../base/error.ts';
import { listPids } from '../procfs/process-list.ts';
import { readStat } from '../procfs/stat.ts';
import { traceProcesses } from '../ptrace/trace.ts';
import type { RemoteOptions, TracedProcess, Tracing } from '../ptrace/traced-process.ts';
import { withPriority } from '../scheduling.ts';
import { isErrno } from '../syscall-error.ts';
import { type CommitResult, commit, type Failure, type Ready } from './commit.ts';
import { type Errand, stage } from './errand.ts';
import { createNote } from './note.ts';
import type { Preparation } from './preparation.ts';
import { scratchForLocks } from './process-locks.ts';
import type { ProcessPlan } from './process-plan.ts';
import type { ProcessReport } from './repoint-report.ts';
import { failedReport, refusalFrom, stoppedReport, untouchedReport } from './round-reports.ts';
import type { SideKind, VolumeSide } from './volume-side.ts';
import type { VolumeUser } from './volume-use.ts';
import { inspect, isIn, type Scope } from './volume-users.ts';
import { type Writers, type WritingDescriptor, writingIn } from './writers.ts';

/*
 * The part of the way for which everybody stands still.
 */

/** Points of it at which a test may want to break it off. */
export type RepointStep = 'prepared' | 'stopped' | 'planned' | 'staged' | 'performing' | 'performed';

export interface Swap {
  readonly request: {
    readonly from: VolumeSide & { readonly volumeId: string };
    readonly to: { readonly kind: SideKind };
    readonly scope: Scope;
    readonly deadlineMs: number;
    readonly onStep?: (step: RepointStep, pid: number) => void;
  };
  readonly preparation: Preparation;
  readonly writers: Writers;
  /** Who is to be moved. */
  readonly busy: readonly VolumeUser[];
  /** Who is not, and may share something with them. */
  readonly staying: readonly VolumeUser[];
  /** All processes that there were before anybody was looked at; and those that were looked at since. */
  readonly examined: Set<number>;
}

export interface SwapResult {
  readonly reports: readonly ProcessReport[];
  /** Threads that our process must end for. */
  readonly unreleased: readonly number[];
}

/** A process that stands still. */
interface Standing {
  readonly user: VolumeUser;
  readonly process: TracedProcess;
  /** When it was asked to. */
  readonly sinceNs: bigint;
}

/**
 * Stops everybody, moves what is to be moved, and lets all go on. Whoever has a lock for writing is in the middle of
 * something as a rule, and is let go on with it: for its lock would be one for reading for a moment.
 */
export function swap(work: Swap): SwapResult {
  const unreleased: number[] = [];
  const pausesUs = new Map<number, number>();
  for (let { busy } = work; ; ) {
    const stopped = stopAndMove({ ...work, busy });
    unreleased.push(...stopped.unreleased);
    for (const { pid, pauseUs } of stopped.pauses) pausesUs.set(pid, (pausesUs.get(pid) ?? 0) + pauseUs);
    if (stopped.reports !== undefined) {
      const reports = stopped.reports.map((one) => ({ ...one, pauseUs: pausesUs.get(one.pid) ?? one.pauseUs }));
      return { reports, unreleased };
    }
    ({ busy } = stopped);
    work.writers.waitFor(stopped.writing);
  }
}

interface Stopped {
  /** What became of everybody; undefined: they were let go again, for some were writing. */
  readonly reports: readonly ProcessReport[] | undefined;
  /** Descriptors by which they were. */
  readonly writing: readonly WritingDescriptor[];
  /** Who stood still, and for how long. */
  readonly busy: readonly VolumeUser[];
  readonly pauses: readonly { readonly pid: number; readonly pauseUs: number }[];
  readonly unreleased: readonly number[];
}

function stopAndMove(work: Swap): Stopped {
  const { request, preparation } = work;
  const reports: ProcessReport[] = [];
  const step = (name: RepointStep, pid = 0): void => request.onStep?.(name, pid);
  const carryOutStopped = (tracing: Tracing): Carried => {
    const { standing, refused } = stopAll(work, tracing);
    step('stopped');
    const plans = planAll(preparation, standing, reports);
    const writing = work.writers.mayWait ? writingIn([...plans.keys()]) : [];
    const moveAll = (): CarriedOut => {
      preparation.holdBack([...work.staying, ...refused.map(({ user }) => user)]);
      reports.push(...refused.map(({ user, error }) => untouchedReport(user, request.to.kind, refusalFrom(error))));
      step('planned');
      return carryOut([...plans.keys()], request, step);
    };
    const moved = writing.length > 0 ? undefined : moveAll();
    return { standing, refused, plans, writing, moved, unreleased: tracing.unreleased };
  };
  const carried = withPriority(() => traceProcesses({ deadlineMs: request.deadlineMs }, carryOutStopped));
  const endNs = process.hrtime.bigint();
  const { standing, refused, plans, moved, writing, unreleased } = carried;
  const pauses = standing.map(({ user: { pid }, sinceNs }) => ({ pid, pauseUs: Number(endNs - sinceNs) / 1000 }));
  const busy = [...standing, ...refused].map(({ user }) => user);
  if (moved === undefined) return { reports: undefined, writing, busy, pauses, unreleased };
  for (const plan of plans.keys()) {
    const ready = moved.ready.filter((one) => one.plan === plan);
    reports.push(stoppedReport(plan, ready, moved.result));
  }
  return { reports, writing, busy, pauses, unreleased };
}

interface Carried extends StopResult {
  readonly plans: ReadonlyMap<ProcessPlan, Standing>;
  readonly writing: readonly WritingDescriptor[];
  /** undefined: nothing was tried. */
  readonly moved: CarriedOut | undefined;
  readonly unreleased: readonly number[];
}

interface StopResult {
  readonly standing: readonly Standing[];
  readonly refused: readonly { readonly user: VolumeUser; readonly error: FaultlineError }[];
}

/** Stops those who are to be moved, then their children that came meanwhile, until there are no more. */
function stopAll(work: Swap, tracing: Tracing): StopResult {
  const { busy } = work;
  const standing: Standing[] = [];
  const refused: { user: VolumeUser; error: FaultlineError }[] = [];
  const family = new Set(busy.map(({ pid }) => pid));
  for (let users = busy; users.length > 0; users = findLate(work, family)) {
    const sinceNs = process.hrtime.bigint();
    const outcomes = tracing.stop(users.map(({ pid }) => pid));
    for (const [index, outcome] of outcomes.entries()) {
      const user = users[index];
      if (user === undefined) continue;
      family.add(user.pid);
      if (outcome.kind === 'stopped') standing.push({ user, process: outcome.process, sinceNs });
      if (outcome.kind === 'refused') refused.push({ user, error: outcome.error });
    }
  }
  return { standing, refused };
}

/**
 * Who was not there before and goes with those who stand still: their children, and whoever shares something with them,
 * as a child does whose parent has ended. Others have their turn later.
 */
function findLate({ request, preparation, busy, examined }: Swap, family: ReadonlySet<number>): readonly VolumeUser[] {
  const { from, scope } = request;
  const late = listPids().filter((pid) => !examined.has(pid) && pid !== process.pid);
  return late.flatMap((pid) => {
    if (scope.except?.has(pid) === true || !mayBeMoved(pid, scope)) return [];
    const user = look(from, pid);
    if (user === undefined) {
      examined.add(pid); // or it would be looked at again for each group, while that stands still
      return [];
    }
    if (!family.has(readStat(pid)?.ppid ?? 0) && !sharesWith(busy, user, preparation)) return [];
    examined.add(pid);
    return [user];
  });
}

function mayBeMoved(pid: number, scope: Scope): boolean {
  return scope.kind !== 'namespace' || isIn(pid, scope.mountNamespace);
}

function look(from: VolumeSide, pid: number): VolumeUser | undefined {
  try {
    return inspect(from, pid);
  } catch (error) {
    // Not ours to look at, so it is nobody's child that is.
    if (isErrno(error, 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

function sharesWith(busy: readonly VolumeUser[], user: VolumeUser, preparation: Preparation): boolean {
  const theirs = new Set(preparation.counterpartsOf(user));
  if (theirs.size === 0) return false;
  return busy.some((one) => preparation.counterpartsOf(one).some((counterpart) => theirs.has(counterpart)));
}

/** Plans for those who still are who they were and hold something; of the others it is told at once. */
function planAll(
  preparation: Preparation,
  standing: readonly Standing[],
  reports: ProcessReport[],
): ReadonlyMap<ProcessPlan, Standing> {
  const plans = new Map<ProcessPlan, Standing>();
  preparation.lookAnew();
  for (const one of standing) {
    try {
      const user = preparation.look(one.process.pid);
      if (user?.startTimeTicks !== one.user.startTimeTicks) continue;
      plans.set(preparation.plan(one.process, user), one);
    } catch (error) {
      reports.push(failedReport(one.user, asFaultlineError(error)));
    }
  }
  return plans;
}

interface CarriedOut {
  readonly ready: readonly Ready[];
  readonly result: CommitResult;
}

/** Gets every thread ready, one within the other, before the first is asked to do anything. */
function carryOut(
  plans: readonly ProcessPlan[],
  { from: { volumeId }, to }: Swap['request'],
  step: (name: RepointStep, pid?: number) => void,
): CarriedOut {
  const tasks = plans.flatMap((plan) => plan.errands.map((errand) => ({ plan, errand })));
  const failures = new Map<ProcessPlan, Failure>();
  const ready: Ready[] = [];
  let result: CommitResult = { performed: [], failures, locks: [] };
  const next = (index: number): void => {
    const task = tasks[index];
    if (task === undefined) {
      step('staged');
      result = commit(ready, failures, to.kind, (pid) => step('performing', pid));
      step('performed');
      return;
    }
    const { plan } = task;
    const errand = { ...task.errand, note: createNote(volumeId) };
    const state = { isReady: false };
    try {
      plan.process.withRemote(remoteOptions(plan, errand), (remote) => {
        ready.push({ plan, errand, remote, staged: stage(remote, errand) });
        state.isReady = true;
        next(index + 1);
      });
    } catch (error) {
      const isGone = isFaultlineError(error, 'PROCESS_NOT_FOUND');
      // What goes wrong afterwards, other than that it was killed, is not this process's fault.
      if (state.isReady && !isGone) throw error;
      failures.set(plan, { kind: isGone ? 'gone' : 'undone', error: asFaultlineError(error) });
      if (!state.isReady) next(index + 1);
    } finally {
      closeSync(errand.note);
    }
  };
  next(0);
  return { ready, result };
}

function remoteOptions({ user }: ProcessPlan, errand: Errand): RemoteOptions {
  const scratchBytes = scratchForLocks(errand);
  return user.sharesAll ? { scratchBytes } : { scratchBytes, tid: errand.tid };
}
