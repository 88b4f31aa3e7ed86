import { listPids } from '../procfs/process-list.ts';
import { groupsOf } from './groups.ts';
import { overlayLocks } from './overlay-locks.ts';
import { prepareMove } from './preparation.ts';
import { mergeReports, type ProcessReport } from './repoint-report.ts';
import { untouchedReport } from './round-reports.ts';
import { type RepointStep, swap } from './swap.ts';
import { otherThan, type VolumeSide, volumeIdOf } from './volume-side.ts';
import type { Refusal, VolumeUser } from './volume-use.ts';
import { findVolumeUsers, type Scope } from './volume-users.ts';
import { warmUp } from './warm-up.ts';
import { hasWork, type Settled, settle } from './work.ts';
import { type Writers, writersOn } from './writers.ts';

export interface RepointRequest {
  readonly from: VolumeSide;
  /** With a descriptor of its folder. */
  readonly to: VolumeSide;
  /** Whose files, folders and maps are moved. Children that they have meanwhile are as well. */
  readonly scope: Scope;
  /**
   * Who else may share open files with them. What is shared with somebody who is not moved stays where it is, for its
   * position is shared, too. By default all processes when `scope` names some, and nobody when it is a namespace.
   */
  readonly bystanders?: Scope;
  /** Who has files open on the other side that have no name any more: whoever serves the overlay. */
  readonly rescuePids?: readonly number[];
  /** How long the threads of a process may take to stop, in milliseconds. */
  readonly deadlineMs: number;
  /** How often it is looked whether somebody has begun to use the side that is to be left. By default 5 times. */
  readonly maxRounds?: number;
  readonly onStep?: (step: RepointStep, pid: number) => void;
}

export interface RepointReport {
  readonly processes: readonly ProcessReport[];
  /** How often somebody had to be stopped. */
  readonly rounds: number;
  /** Processes that are not ours to look at. */
  readonly unreadable: readonly number[];
  /**
   * Threads that cannot be let go of before this process ends: they run, but if they come to a stop, they stay there.
   * So if there are any, end soon.
   */
  readonly unreleased: readonly number[];
}

/**
 * Moves open files, working directories, roots and memory maps of running processes from one side of a volume to the
 * other, and comes back when nobody begins to use the side that was left any more.
 *
 * May be repeated at any time, also by another process after this one was killed in the middle: what is there already
 * is not touched, what is not is moved. To be called in a process of its own, never in the parent of a target. When it
 * is called for the first time it gets ready, before anybody is stopped.
 *
 * @throws SyscallError: /proc is not readable, or the kernel lacks kcmp(2) (ENOSYS)
 * @throws FaultlineError ARCHITECTURE_UNSUPPORTED
 */
export function repoint(asked: RepointRequest): RepointReport {
  const volumeId = volumeIdOf(asked.from, asked.to);
  const { from, to } = asked;
  const request = { ...asked, from: { ...from, volumeId }, to: otherThan(from, to) };
  const reports = new Map<string, ProcessReport>();
  const settled: Settled = new Set();
  const unreleased: number[] = [];
  const unreadable = new Set<number>();
  const { maxRounds = DEFAULT_ROUNDS, rescuePids = [] } = request;
  const writers = writersOn(from.kind, overlayLocks(rescuePids));
  let rounds = 0;
  for (; rounds < maxRounds; rounds += 1) {
    const round = runRound(request, settled, writers);
    for (const pid of round.unreadable) unreadable.add(pid);
    unreleased.push(...round.unreleased);
    for (const report of round.reports) {
      const key = `${report.pid} ${report.startTimeTicks}`;
      const earlier = reports.get(key);
      reports.set(key, earlier === undefined ? report : mergeReports(earlier, report));
    }
    if (!round.hadWork) break;
  }
  return Object.freeze({
    processes: [...reports.values()],
    rounds,
    unreadable: [...unreadable],
    unreleased: [...new Set(unreleased)],
  });
}

/** Practises with a process of its own, once in our life (some 60 ms): what runs for the first time is slow. */
export function getReady(): void {
  warmUp(practise);
}

const DEFAULT_ROUNDS = 5;

/** More processes are not stopped together: each has to stand still until the last one does. */
const MOST_AT_ONCE = 400;
const crowded: Refusal = {
  reason: 'not-stopped',
  detail: `it shares open files with more than ${MOST_AT_ONCE} other processes`,
};

/** A request of which it is known what volume it is about. */
type IdentifiedRequest = RepointRequest & { readonly from: { readonly volumeId: string } };

interface Round {
  readonly reports: readonly ProcessReport[];
  readonly unreadable: readonly number[];
  readonly unreleased: readonly number[];
  /** There was something to do, and so there may be more. */
  readonly hadWork: boolean;
}

function runRound(request: IdentifiedRequest, settled: Settled, writers: Writers): Round {
  const { from, to, scope } = request;
  const examined = new Set(listPids());
  const { users, unreadable } = findVolumeUsers(from, scope);
  const busy = users.filter((user) => user.refusal === undefined && hasWork(user, request, settled));
  const idle = users.filter((user) => !busy.includes(user));
  const untouched = idle.map((user) => untouchedReport(user, to.kind, user.refusal));
  if (busy.length === 0) return { reports: untouched, unreadable, unreleased: [], hadWork: false };
  getReady();
  const preparation = prepareMove(from, to, request.rescuePids ?? []);
  try {
    preparation.prepare(busy);
    request.onStep?.('prepared', 0);
    const staying = [...idle, ...findBystanders(request, users)];
    const groups = groupsOf(busy, staying, preparation).filter((group) => group.busy.length <= MOST_AT_ONCE);
    const results = groups.map((group) => swap({ ...group, request, preparation, writers, examined }));
    const reports = results.flatMap((result) => result.reports);
    for (const report of reports) settle(report, settled);
    const unreleased = results.flatMap((result) => result.unreleased);
    const told = new Set(groups.flatMap((group) => group.busy));
    const tooMany = busy.filter((user) => !told.has(user)).map((user) => untouchedReport(user, to.kind, crowded));
    return { reports: [...untouched, ...reports, ...tooMany], unreadable, unreleased, hadWork: groups.length > 0 };
  } finally {
    preparation.close();
  }
}

function practise(from: VolumeSide, to: VolumeSide, pid: number): void {
  const nobody = { kind: 'pids', pids: [] } as const;
  repoint({
    from,
    to,
    scope: { kind: 'pids', pids: [pid] },
    bystanders: nobody,
    deadlineMs: PRACTICE_MS,
    maxRounds: 1,
  });
}

const PRACTICE_MS = 1000;

/** Those who stay and may share something with those who are moved. */
function findBystanders({ from, scope, bystanders }: RepointRequest, users: readonly VolumeUser[]): VolumeUser[] {
  const where: Scope | undefined = bystanders ?? (scope.kind === 'pids' ? { kind: 'all' } : undefined);
  if (where === undefined) return [];
  const except = new Set([...(where.except ?? []), ...(scope.except ?? []), ...users.map(({ pid }) => pid)]);
  return [...findVolumeUsers(from, { ...where, except }).users];
}
