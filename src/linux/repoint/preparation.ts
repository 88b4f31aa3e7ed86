import type { TracedProcess } from '../ptrace/traced-process.ts';
import { SyscallError } from '../syscall-error.ts';
import { type Counterpart, type Counterparts, openCounterparts } from './counterparts.ts';
import { positionOf, setPosition, setStatusFlags } from './descriptor-calls.ts';
import type { DescriptorMove } from './errand.ts';
import { type FdinfoFolder, openFdinfo } from './fdinfo-folder.ts';
import { indexOpenInodes } from './inode-index.ts';
import { compareDescriptions } from './kcmp.ts';
import { isObstacle, obstacle } from './kept.ts';
import { adoptNoted } from './leftovers.ts';
import { readMapFlags } from './mapped-files.ts';
import type { MapFlags } from './memory-maps.ts';
import { readInfo, readTable, type TableUse } from './open-files.ts';
import { openOtherFiles } from './other-files.ts';
import { overlayLocks } from './overlay-locks.ts';
import { type Planning, planUser, type ProcessPlan } from './process-plan.ts';
import type { VolumeSide } from './volume-side.ts';
import type { FileTable, OpenDescriptor, VolumeUser } from './volume-use.ts';
import { inspect } from './volume-users.ts';

/** What can be done before anybody is stopped, and is used when they are. */
export interface Preparation {
  readonly counterparts: Counterparts;
  /** Opens what processes will need. */
  prepare(users: readonly VolumeUser[]): void;
  /** To be called when everybody stands still anew: numbers of the server's descriptors hold only while they do. */
  lookAnew(): void;
  /** What a process holds now, which costs less for what was prepared; undefined for nothing. */
  look(pid: number): VolumeUser | undefined;
  plan(process: TracedProcess, user: VolumeUser): ProcessPlan;
  /** What takes the place of its descriptions, as far as it was prepared for somebody. */
  counterpartsOf(user: VolumeUser): readonly Counterpart[];
  /** What these hold is not moved, and so nobody moves what they share with them. */
  holdBack(users: readonly VolumeUser[]): void;
  close(): void;
}

/** A table of descriptors as it was when it was prepared. */
interface SeenTable {
  readonly files: ReadonlyMap<number, { readonly one: OpenDescriptor; readonly counterpart: Counterpart }>;
  /** Open where they are read again; undefined when the thread is gone. */
  readonly fdinfo: FdinfoFolder | undefined;
}

function see(counterparts: Counterparts, pid: number, { tid, descriptors }: FileTable): SeenTable {
  const fdinfo = openFdinfo(pid, tid);
  const found = descriptors.flatMap((one) => {
    const counterpart = counterparts.of(tid, one);
    if (isObstacle(counterpart)) return [];
    fdinfo?.hold(one.fd);
    return [[one.fd, { one, counterpart }] as const];
  });
  return { files: new Map(found), fdinfo };
}

/** @param rescuePids who has files without a name open on the other side: whoever serves the overlay */
export function prepareMove(from: VolumeSide, to: VolumeSide, rescuePids: readonly number[]): Preparation {
  const door = { from, to, rescue: rescuePids.length === 0 ? undefined : indexOpenInodes(to, rescuePids) };
  const counterparts = openCounterparts(door);
  const others = openOtherFiles(door);
  const seen = new Map<number, SeenTable>();
  const known = { from, to, counterparts, others, mapFlags: rememberMapFlags() };
  const plannedAnew = (): Planning => ({ ...known, overlayLocks: overlayLocks(rescuePids), memories: [] });
  let planning = plannedAnew();

  const readAgain = (side: VolumeSide, pid: number, tid: number): TableUse => {
    const before = seen.get(tid);
    return readTable(side, pid, tid, (fd, fdinfo) => {
      const known = before?.files.get(fd);
      const now = known === undefined ? undefined : readInfo(before?.fdinfo ?? fdinfo, fd, known.one);
      if (known === undefined || now === undefined) return undefined;
      if (compareDescriptions({ tid, fd }, known.counterpart) !== 0) return undefined;
      counterparts.remember(now, known.counterpart);
      return now;
    });
  };

  const counterpartsOf = ({ tables }: VolumeUser): readonly Counterpart[] =>
    tables.flatMap(({ tid, descriptors }) => {
      const prepared = seen.get(tid);
      return descriptors.flatMap(
        (one) => prepared?.files.get(one.fd)?.counterpart ?? counterparts.known({ tid, fd: one.fd }, one) ?? [],
      );
    });

  return {
    counterparts,
    prepare(users) {
      // First of all of them: who was moved already has what others are to share with it.
      for (const user of users) adoptNoted(planning, counterparts, user);
      for (const { pid, tables } of users) {
        for (const table of tables) seen.set(table.tid, see(counterparts, pid, table));
      }
      // What the plans need is open when they are made in earnest, and so is what makes them fast.
      for (const user of users) planUser({ ...planning, memories: [] }, user);
    },
    lookAnew() {
      planning = plannedAnew();
    },
    look: (pid) => inspect(from, pid, readAgain),
    plan(process, user) {
      const plan = planUser(planning, user);
      for (const { moves } of plan.errands) for (const move of moves) keepUp(move);
      return { ...plan, process, errands: plan.errands.map((errand) => ({ ...errand, process })) };
    },
    counterpartsOf,
    holdBack(users) {
      for (const counterpart of users.flatMap(counterpartsOf)) counterpart.obstacle ??= obstacle('shared');
    },
    close() {
      for (const { fdinfo } of seen.values()) fdinfo?.close();
      counterparts.close();
      others.close();
    },
  };
}

/** Gives a counterpart the position and the flags that the description has now. */
function keepUp({ descriptor, counterpart }: DescriptorMove): void {
  if (counterpart.pathOnly) return;
  try {
    const position = positionFor(descriptor, counterpart);
    if (position !== counterpart.position) setPosition(counterpart.fresh, position);
    counterpart.position = position;
    if (counterpart.flags !== descriptor.flags) setStatusFlags(counterpart.fresh, descriptor.flags);
    counterpart.flags = descriptor.flags;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const reason = descriptor.kind === 'directory' ? 'folder-cursor' : 'not-opened';
    counterpart.obstacle ??= obstacle(reason, error.errno);
  }
}

/** Where both descriptions are in use, as some were moved and others were not, reading and writing went on in both. */
function positionFor({ kind, position }: OpenDescriptor, { adopted, fresh }: Counterpart): bigint {
  if (!adopted || kind !== 'regular') return position;
  const there = positionOf(fresh);
  return there > position ? there : position;
}

/** smaps takes the kernel long, so it is read again only if the maps have changed. */
function rememberMapFlags(): Planning['mapFlags'] {
  const remembered = new Map<number, { readonly maps: string; readonly flags: ReadonlyMap<number, MapFlags> }>();
  return ({ pid, tables, folders, maps }) => {
    const key = maps.map(({ start, end, permissions, offset }) => `${start} ${end} ${permissions} ${offset}`).join();
    const known = remembered.get(pid);
    if (known?.maps === key) return known.flags;
    const tid = tables[0]?.tid ?? folders[0]?.tid ?? pid;
    const flags = readMapFlags(pid, tid, maps);
    remembered.set(pid, { maps: key, flags });
    return flags;
  };
}
