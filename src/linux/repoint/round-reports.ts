import type { FaultlineError } from '../../base/error.ts';
import type { TraceRefusal } from '../ptrace/traced-process.ts';
import type { CommitResult, Failure, LockOutcome, Performed, Ready } from './commit.ts';
import type { Errand, LockMove } from './errand.ts';
import { foreseeKept, type Kept, kept, obstacle } from './kept.ts';
import type { Done } from './perform.ts';
import { NOWHERE, type ProcessPlan } from './process-plan.ts';
import { type LostLock, nothingMoved, type ProcessReport } from './repoint-report.ts';
import { displayPath, type SideKind } from './volume-side.ts';
import type { Refusal, UseCounts, VolumeUser } from './volume-use.ts';

/** A process of which nothing was moved. */
export function untouchedReport(user: VolumeUser, towards: SideKind, refusal?: Refusal): ProcessReport {
  return Object.freeze({
    ...identity(user),
    outcome: refusal === undefined ? 'kept' : 'refused',
    moved: nothingMoved,
    kept: foreseeKept(user, towards),
    refusal,
    error: undefined,
    lostLocks: [],
    locksWithGap: 0,
    watches: [],
    pauseUs: 0,
  });
}

/** A process in which something went wrong before anything was touched. */
export function failedReport(user: VolumeUser, error: FaultlineError): ProcessReport {
  return Object.freeze({ ...untouchedReport(user, 'original'), outcome: 'undone', kept: [], error });
}

/** Why a process could not be stopped, as the tracer tells it. */
export function refusalFrom(error: FaultlineError): Refusal {
  const reason = error.details?.['reason'] as TraceRefusal | undefined;
  return { reason: reason ?? 'not-permitted', detail: error.message };
}

function identity({ pid, startTimeTicks, comm }: VolumeUser): Pick<ProcessReport, 'pid' | 'startTimeTicks' | 'comm'> {
  return { pid, startTimeTicks, comm };
}

/** What became of a process that was stopped; how long it stood still is known when it goes on. */
export function stoppedReport(plan: ProcessPlan, ready: readonly Ready[], result: CommitResult): ProcessReport {
  const { user } = plan;
  const failure = result.failures.get(plan);
  const performed = result.performed.filter((one) => one.ready.plan === plan);
  const done = performed.map((one) => one.done);
  const locks = locksOf(plan, result.locks);
  const moved = movedBy(performed, locks);
  return Object.freeze({
    ...identity(user),
    outcome: outcomeOf(failure, moved),
    moved,
    kept: [...plan.kept, ...ready.flatMap(keptMaps), ...plan.errands.flatMap(heldBack), ...done.flatMap(notAllowed)],
    refusal: undefined,
    error: failure?.error,
    lostLocks: [...done.flatMap(locksNotRetaken), ...locks.flatMap(locksNotMoved)],
    locksWithGap:
      done.reduce((sum, one) => sum + one.locks.filter(hadGap).length, 0) +
      locks.reduce((sum, one) => sum + one.moved.filter(({ gap }) => gap).length, 0),
    watches: failure === undefined ? user.watches : [],
    pauseUs: 0,
  });
}

/** Somebody could have taken it, if only for reading. */
function hadGap({ lock, isWeakened }: LockMove): boolean {
  return lock.mode === 'WRITE' || isWeakened === true;
}

function outcomeOf(failure: Failure | undefined, moved: UseCounts): ProcessReport['outcome'] {
  if (failure !== undefined) return failure.kind;
  return Object.values(moved).some((count: number) => count > 0) ? 'moved' : 'kept';
}

function movedBy(performed: readonly Performed[], locks: readonly LockOutcome[]): UseCounts {
  const sum = (count: (done: Done) => number): number => performed.reduce((all, { done }) => all + count(done), 0);
  const folders = performed.filter(
    ({ ready, done }) => done.workingDirectory && ready.errand.workingDirectory?.place.path !== NOWHERE,
  );
  return {
    descriptors: sum(({ moves }) => moves.length),
    workingDirectories: folders.length,
    roots: sum(({ root }) => (root ? 1 : 0)),
    maps: sum(({ maps }) => maps.length),
    locks: sum((done) => done.locks.length) + locks.reduce((all, { moved }) => all + moved.length, 0),
  };
}

function locksOf(plan: ProcessPlan, outcomes: readonly LockOutcome[]): LockOutcome[] {
  const own = new Set(plan.errands.flatMap(({ moves }) => moves.map(({ counterpart }) => counterpart)));
  return outcomes.filter(({ counterpart }) => own.has(counterpart));
}

function keptMaps({ errand, staged }: Ready): Kept[] {
  return staged.keptMaps.map(({ move, detail }) =>
    kept('map', errand.tid, move.map.start, move.map, obstacle('not-allowed', detail)),
  );
}

function heldBack({ tid, moves }: Errand): Kept[] {
  return moves.flatMap(({ descriptor, counterpart }) =>
    counterpart.obstacle === undefined ? [] : kept('descriptor', tid, descriptor.fd, descriptor, counterpart.obstacle),
  );
}

function notAllowed({ failed }: Done): Kept[] {
  return failed.flatMap(({ what, number, place, errno }) =>
    what === 'lock' || what === 'descriptor' ? [] : kept(what, 0, number, place, obstacle('not-allowed', errno)),
  );
}

function locksNotRetaken({ failed }: Done): LostLock[] {
  return failed
    .filter(({ what }) => what === 'lock')
    .map(({ number, place, errno }) => ({ fd: number, path: displayPath(place.path), detail: errno }));
}

function locksNotMoved({ counterpart, lost }: LockOutcome): LostLock[] {
  return lost.map(({ type, mode }) => ({ fd: -1, path: counterpart.path, detail: `${type} ${mode}` }));
}
