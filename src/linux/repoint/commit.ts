import { asFaultlineError, FaultlineError, isFaultlineError } from '../../base/error.ts';
import type { Remote } from '../ptrace/traced-process.ts';
import type { Counterpart } from './counterparts.ts';
import type { LockLine } from './descriptor-info.ts';
import { type DescriptorMove, discard, type Errand, type LockMove, type Staged, stage } from './errand.ts';
import { obstacle } from './kept.ts';
import { conflictsThere, descriptionLocks, letGo, type MovedLock, takeBack, transferLocks } from './locks.ts';
import { type Done, type Failed, perform } from './perform.ts';
import { holdMeanwhile, strengthen, weaken } from './process-locks.ts';
import type { ProcessPlan } from './process-plan.ts';
import type { SideKind } from './volume-side.ts';

/*
 * Everything that was prepared is put in its place, while all who use the volume stand still. Whoever shares an open
 * file description gets the new one, or nobody does.
 */

/** A thread that has been given what its errand needs. */
export interface Ready {
  readonly plan: ProcessPlan;
  readonly errand: Errand;
  readonly remote: Remote;
  readonly staged: Staged;
}

/** What was done in a process, and stands. */
export interface Performed {
  readonly ready: Ready;
  readonly done: Done;
}

/** A process in which something went wrong. */
export interface Failure {
  readonly kind: 'gone' | 'undone' | 'half-done';
  readonly error: FaultlineError;
}

/** What became of the locks of an open file description. */
export interface LockOutcome {
  readonly counterpart: Counterpart;
  readonly moved: readonly MovedLock[];
  readonly lost: readonly LockLine[];
}

export interface CommitResult {
  readonly performed: readonly Performed[];
  readonly failures: ReadonlyMap<ProcessPlan, Failure>;
  readonly locks: readonly LockOutcome[];
}

/** @param onStep is told before each errand */
export function commit(
  given: readonly Ready[],
  failures: Map<ProcessPlan, Failure>,
  towards: SideKind,
  onStep: (pid: number) => void,
): CommitResult {
  // Who could not be made ready keeps what it has, and so do those who share it.
  for (const plan of failures.keys()) holdBack(movesOf(plan));
  if (towards === 'overlay') refuseConflicts(given);
  const all = given.map((ready) => withWeakLocks(ready, failures));
  const locks = new Map<Counterpart, LockOutcome>();
  for (const { errand } of all) moveDescriptionLocks(errand.moves, locks);
  const letGoOfTheirs = holdMeanwhile(
    all.map(({ errand }) => errand),
    towards,
  );
  try {
    const performed = performAll(all, failures, locks, onStep);
    for (const [counterpart, { moved }] of locks) letGo(counterpart.present, moved);
    letGoOfTheirs();
    return { performed: withStrongLocks(all, performed, failures), failures, locks: [...locks.values()] };
  } finally {
    letGoOfTheirs();
  }
}

function performAll(
  all: readonly Ready[],
  failures: Map<ProcessPlan, Failure>,
  locks: Map<Counterpart, LockOutcome>,
  onStep: (pid: number) => void,
): readonly Performed[] {
  let performed: Performed[] = [];
  for (const ready of all) {
    if (failures.has(ready.plan)) {
      discardQuietly(ready);
      continue;
    }
    let begun = false;
    try {
      onStep(ready.plan.process.pid);
      begun = true;
      const done = perform(ready.remote, stillToDo(ready.errand), ready.staged);
      performed.push({ ready, done });
      begun = false;
      if (done.failed.some(({ what }) => what === 'descriptor')) throw descriptorRefused(ready, done);
    } catch (error) {
      const kind = fail(failures, ready.plan, begun ? 'half-done' : 'undone', error);
      if (kind === 'undone' && !performed.some((one) => one.ready === ready)) discardQuietly(ready);
      if (kind !== 'gone') performed = undo(ready.plan, performed, failures, locks);
    }
  }
  return performed;
}

/** With what it is to move, and the locks as it is to take them on the other side. */
function withWeakLocks(ready: Ready, failures: Map<ProcessPlan, Failure>): Ready {
  const errand = stillToDo(ready.errand);
  try {
    return { ...ready, errand: weaken(ready.remote, errand) };
  } catch (error) {
    fail(failures, ready.plan, 'undone', error);
    holdBack(movesOf(ready.plan));
    return { ...ready, errand };
  }
}

/** Whether or not it was moved: it has its locks for writing again, or has lost them. */
function withStrongLocks(
  all: readonly Ready[],
  performed: readonly Performed[],
  failures: Map<ProcessPlan, Failure>,
): readonly Performed[] {
  const lost = new Set<LockMove>();
  for (const { plan, errand, remote } of all) {
    if (failures.get(plan)?.kind === 'gone') continue;
    try {
      for (const one of strengthen(remote, errand)) lost.add(one);
    } catch (error) {
      fail(failures, plan, 'half-done', error);
    }
  }
  return performed.map((one): Performed => {
    const failed = one.done.locks
      .filter((lock) => lost.has(lock))
      .map(({ fd, place }): Failed => ({ what: 'lock', number: fd, place, errno: 'EAGAIN' }));
    const locks = one.done.locks.filter((lock) => !lost.has(lock));
    return failed.length === 0
      ? one
      : { ...one, done: { ...one.done, locks, failed: [...one.done.failed, ...failed] } };
  });
}

/** @returns what has become of it: it may be gone */
function fail(
  failures: Map<ProcessPlan, Failure>,
  plan: ProcessPlan,
  unlessGone: Failure['kind'],
  error: unknown,
): Failure['kind'] {
  const kind = isFaultlineError(error, 'PROCESS_NOT_FOUND') ? 'gone' : unlessGone;
  failures.set(plan, { kind, error: asFaultlineError(error) });
  return kind;
}

/** Of a process that is gone nothing has to be taken away. */
function discardQuietly({ remote, staged }: Ready): void {
  try {
    discard(remote, staged);
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
  }
}

function movesOf(plan: ProcessPlan): DescriptorMove[] {
  return plan.errands.flatMap(({ moves }) => moves);
}

function holdBack(moves: readonly DescriptorMove[]): void {
  for (const { counterpart } of moves) counterpart.obstacle ??= obstacle('shared');
}

/** Without what has turned out to have to stay, and with those locks only that the process would lose. */
function stillToDo(errand: Errand): Errand {
  const moves = errand.moves.filter(({ counterpart }) => counterpart.obstacle === undefined);
  const touched = new Set(moves.map(({ descriptor }) => descriptor.inode));
  for (const { place } of errand.leftBehind?.locks ?? []) touched.add(place.inode);
  return {
    ...errand,
    moves,
    locks: errand.locks.filter(({ place, isWeakened }) => isWeakened === true || touched.has(place.inode)),
  };
}

/**
 * A lock of a process that somebody has on the other side would be lost: then the file stays. Not on the way back: what
 * is locked through the overlay is locked on the original as well, by whoever serves it.
 */
function refuseConflicts(all: readonly Ready[]): void {
  for (const { plan, errand } of all) {
    for (const { lock, place } of errand.locks) {
      const moves = errand.moves.filter(({ descriptor }) => descriptor.inode === place.inode);
      const inTheWay = moves.some(({ file }) => conflictsThere(file, lock, plan.process.pid));
      if (!inTheWay) continue;
      for (const { counterpart } of moves) counterpart.obstacle ??= obstacle('lock-conflict');
    }
  }
}

function moveDescriptionLocks(moves: readonly DescriptorMove[], outcomes: Map<Counterpart, LockOutcome>): void {
  for (const { descriptor, counterpart } of moves) {
    if (counterpart.obstacle !== undefined || counterpart.pathOnly || outcomes.has(counterpart)) continue;
    const locks = descriptionLocks(descriptor.locks);
    if (locks.length === 0) continue;
    const result = transferLocks(counterpart.present, counterpart.fresh, locks);
    const moved = result.kind === 'moved' ? result.locks : [];
    outcomes.set(counterpart, { counterpart, moved, lost: result.kind === 'lost' ? [result.lock] : [] });
    if (result.kind !== 'moved') counterpart.obstacle = obstacle('lock-conflict');
  }
}

/**
 * Puts a process back to where it was, and so those open file descriptions of others that it shares.
 *
 * @returns what stands of what was done before
 */
function undo(
  plan: ProcessPlan,
  performed: readonly Performed[],
  failures: Map<ProcessPlan, Failure>,
  locks: Map<Counterpart, LockOutcome>,
): Performed[] {
  const back = new Set(movesOf(plan).map(({ counterpart }) => counterpart));
  holdBack(movesOf(plan));
  for (const counterpart of back) {
    const outcome = locks.get(counterpart);
    if (outcome === undefined) continue;
    const lost = takeBack(counterpart.present, counterpart.fresh, outcome.moved);
    locks.set(counterpart, { counterpart, moved: [], lost });
  }
  return performed.flatMap((one): Performed[] => {
    const isItself = one.ready.plan === plan;
    const moves = one.done.moves.filter(({ counterpart }) => back.has(counterpart));
    if (!isItself && moves.length === 0) return [one];
    try {
      goBack(one.ready, isItself ? one.done : movesOnly(one.done, moves));
      return isItself ? [] : [{ ...one, done: without(one.done, moves) }];
    } catch (error) {
      failures.set(one.ready.plan, { kind: 'half-done', error: asFaultlineError(error) });
      return [one];
    }
  });
}

function movesOnly({ locks }: Done, moves: readonly DescriptorMove[]): Done {
  return { moves, locks, maps: [], executable: false, root: false, workingDirectory: false, failed: [] };
}

function without(done: Done, moves: readonly DescriptorMove[]): Done {
  const gone = new Set(moves);
  return { ...done, moves: done.moves.filter((move) => !gone.has(move)) };
}

function descriptorRefused({ plan }: Ready, { failed }: Done): FaultlineError {
  const first = failed.find(({ what }) => what === 'descriptor');
  const problem = `descriptor ${first?.number} of process ${plan.process.pid} could not be replaced (${first?.errno})`;
  return new FaultlineError('SYSCALL_FAILED', problem);
}

/** The same errand the other way round. @throws FaultlineError, SyscallError: some of it stays as it is */
function goBack({ errand, remote }: Ready, done: Done): void {
  const { process, tid, root, workingDirectory } = errand;
  const turned = <Move extends { readonly file: number; readonly back: number }>(move: Move): Move => ({
    ...move,
    file: move.back,
    back: move.file,
  });
  const reverse: Errand = {
    process,
    tid,
    moves: done.moves.map((move) => ({ ...move, file: move.counterpart.present })),
    maps: done.maps.flatMap((move) =>
      move.back === undefined ? [] : { ...move, file: move.back, back: move.file, save: false },
    ),
    executable: undefined,
    root: done.root && root !== undefined ? turned(root) : undefined,
    workingDirectory: done.workingDirectory && workingDirectory !== undefined ? turned(workingDirectory) : undefined,
    locks: locksOf(errand, done),
    leftBehind: undefined,
    note: undefined,
  };
  const { failed } = perform(remote, reverse, stage(remote, reverse));
  const [first] = failed;
  if (first === undefined) return;
  throw new FaultlineError('SYSCALL_FAILED', `a ${first.what} could not be put back (${first.errno})`);
}

/** Those that the process had before, whether or not it got them again. */
function locksOf({ locks }: Errand, { moves }: Done): LockMove[] {
  const touched = new Set(moves.map(({ descriptor }) => descriptor.inode));
  return locks.filter(({ place }) => touched.has(place.inode));
}
