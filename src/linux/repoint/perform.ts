import { errnoName } from '../errno.ts';
import type { Remote, RemoteCall } from '../ptrace/traced-process.ts';
import { O_CLOEXEC } from './descriptor-info.ts';
import type { DescriptorMove, Errand, LockMove, MapMove, Staged } from './errand.ts';
import { propertiesOf } from './map-properties.ts';
import { lockCall } from './process-locks.ts';
import type { VolumePlace } from './volume-use.ts';

/** What became of an errand. */
export interface Done {
  readonly moves: readonly DescriptorMove[];
  readonly maps: readonly MapMove[];
  readonly executable: boolean;
  readonly root: boolean;
  readonly workingDirectory: boolean;
  readonly locks: readonly LockMove[];
  readonly failed: readonly Failed[];
}

/** One thing that could not be done. */
export interface Failed {
  readonly what: 'descriptor' | 'map' | 'executable' | 'root' | 'working-directory' | 'lock';
  /** The descriptor, or the map's first address; 0 for the others. */
  readonly number: number;
  readonly place: Pick<VolumePlace, 'path'>;
  /** The name of the errno. */
  readonly errno: string;
}

/** A call, and what is done about its result. */
interface Step {
  readonly call: RemoteCall;
  readonly settle?: (result: number) => void;
}

/** include/uapi/linux/mman.h, include/uapi/linux/prctl.h */
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const PR_SET_MM = 35;
const PR_SET_MM_EXE_FILE = 13;

/** `.`, the folder that chroot(2) is to take. */
const DOT = Buffer.from('.\0');

/**
 * Puts everything in its place, in one batch, and takes away what the thread was given.
 *
 * Maps come first, and then the program's own file, of which nothing may be mapped any more when it is changed.
 * Descriptors of files in which the process has locks come last, directly before it takes those again: it loses them as
 * soon as it closes any descriptor of such a file.
 *
 * @throws FaultlineError PROCESS_NOT_FOUND, TRACE_REFUSED
 */
export function perform(remote: Remote, errand: Errand, staged: Staged): Done {
  const record = recorder();
  const numberOf = (file: number): number => staged.numbers.get(file) ?? -1;
  const locked = new Set(errand.locks.map(({ place }) => place.inode));
  const dup = (move: DescriptorMove): Step => ({
    call: ['dup3', numberOf(move.file), move.descriptor.fd, move.descriptor.closeOnExec ? O_CLOEXEC : 0],
    settle: record.outcome('descriptor', move.descriptor.fd, move.descriptor, () => record.moves.push(move)),
  });
  const late = errand.moves.filter(({ descriptor }) => locked.has(descriptor.inode));
  const early = errand.moves.filter(({ descriptor }) => !locked.has(descriptor.inode));
  const lateFiles = new Set([...late.map(({ file }) => file), errand.note]);
  const isLate = ([file]: readonly [number, number]): boolean => lateFiles.has(file);
  const close = ([, fd]: readonly [number, number]): Step => ({ call: ['close', fd] });
  const given = [...staged.numbers].filter(([file]) => file !== errand.note);
  run(remote, [
    ...leftBehindSteps(errand),
    ...mapSteps(errand, staged, record),
    ...folderSteps(remote, errand, numberOf, record),
    ...early.map(dup),
    ...given.filter((one) => !isLate(one)).map(close),
    ...late.map(dup),
    ...given.filter(isLate).map(close),
    ...lockSteps(remote, errand, record),
    ...(errand.note === undefined ? [] : [close([errand.note, numberOf(errand.note)])]),
  ]);
  return record;
}

function run(remote: Remote, steps: readonly Step[]): void {
  const results = remote.calls(steps.map(({ call }) => call));
  for (const [index, { settle }] of steps.entries()) settle?.(results[index] ?? -1);
}

/** Results, as they come in. */
interface Recorder extends Done {
  readonly moves: DescriptorMove[];
  readonly maps: MapMove[];
  readonly locks: LockMove[];
  readonly failed: Failed[];
  executable: boolean;
  root: boolean;
  workingDirectory: boolean;
  /** What to do with the result of a call: note that it succeeded, or how it failed. */
  outcome(what: Failed['what'], number: number, place: Failed['place'], good: () => void): (result: number) => void;
}

function recorder(): Recorder {
  const failed: Failed[] = [];
  return {
    moves: [],
    maps: [],
    locks: [],
    failed,
    executable: false,
    root: false,
    workingDirectory: false,
    outcome: (what, number, place, good) => (result) => {
      if (result >= 0) good();
      else failed.push({ what, number, place, errno: errnoName(-result) ?? String(result) });
    },
  };
}

function mapSteps({ executable }: Errand, staged: Staged, record: Recorder): Step[] {
  const steps = staged.maps.flatMap(({ move, address }): Step[] => {
    const { map, flags } = move;
    const length = map.end - map.start;
    return [
      {
        call: ['mremap', address, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, map.start],
        settle: record.outcome('map', map.start, map, () => record.maps.push(move)),
      },
      ...propertiesOf(map, flags).map((call) => ({ call })),
    ];
  });
  if (executable === undefined) return steps;
  const settle = record.outcome('executable', 0, executable.place, () => (record.executable = true));
  const number = staged.numbers.get(executable.file) ?? -1;
  return [...steps, { call: ['prctl', PR_SET_MM, PR_SET_MM_EXE_FILE, number], settle }];
}

/**
 * chroot(2) takes a path, and so the new root has to be the working directory for a moment. Whether the thread may go
 * there and come back is tried first, since a batch goes on whatever fails.
 */
function folderSteps(
  remote: Remote,
  { process, root, workingDirectory }: Errand,
  numberOf: (file: number) => number,
  record: Recorder,
): Step[] {
  if (workingDirectory === undefined) return [];
  const goThere: RemoteCall = ['fchdir', numberOf(workingDirectory.file)];
  const settle = record.outcome('working-directory', 0, workingDirectory.place, () => (record.workingDirectory = true));
  if (root === undefined) return [{ call: goThere, settle }];
  const settleRoot = record.outcome('root', 0, root.place, () => (record.root = true));
  const goToRoot: RemoteCall = ['fchdir', numberOf(root.file)];
  const [there = -1] = remote.calls([goThere]);
  const [rooted = -1] = there < 0 ? [there] : remote.calls([goToRoot, goThere]);
  if (there < 0 || rooted < 0) {
    settle(there);
    settleRoot(Math.min(there, rooted));
    return [];
  }
  process.memory.write(remote.scratch.address, DOT);
  return [
    { call: goToRoot },
    { call: ['chroot', remote.scratch.address], settle: settleRoot },
    { call: goThere, settle },
  ];
}

/** Before all else, so that these numbers and addresses are not given out anew meanwhile. */
function leftBehindSteps({ leftBehind }: Errand): Step[] {
  if (leftBehind === undefined) return [];
  return [
    ...[...leftBehind.descriptors].map((fd): Step => ({ call: ['close', fd] })),
    ...leftBehind.maps.map(({ start, end }): Step => ({ call: ['munmap', start, end - start] })),
  ];
}

function lockSteps(remote: Remote, errand: Errand, record: Recorder): Step[] {
  return errand.locks.map((one, index) => ({
    call: lockCall(remote, errand, one, one.lock, index),
    settle: record.outcome('lock', one.fd, one.place, () => record.locks.push(one)),
  }));
}
